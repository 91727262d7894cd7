package page

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

const (
	// maxSessions is the number of sessions; beyond it the one that was used least lately ends.
	maxSessions = 256
	// maxIdle and maxAge are when a session ends. Before, it ends with its token.
	maxIdle = time.Hour
	maxAge  = 12 * time.Hour
	// cookieName is that of the cookie with a session's number.
	cookieName = "kubevirt-operator-page"
)

// sessions keep the tokens of people who signed in, in memory alone: a cookie goes to every port of
// its host, and so must not be the token.
type sessions struct {
	clock  clock.PassiveClock
	locked struct {
		sync.Mutex
		all map[string]*session
	}
}

type session struct {
	token       string
	began, used time.Time
}

func newSessions(clock clock.PassiveClock) *sessions {
	s := &sessions{clock: clock}
	s.locked.all = map[string]*session{}
	return s
}

// open returns the number of a new session.
func (s *sessions) open(token string) string {
	number, now := rand.Text()+rand.Text(), s.clock.Now()
	s.locked.Lock()
	defer s.locked.Unlock()
	var oldest string
	for each, session := range s.locked.all {
		if session.over(now) {
			delete(s.locked.all, each)
		} else if oldest == "" || session.used.Before(s.locked.all[oldest].used) {
			oldest = each
		}
	}
	if len(s.locked.all) >= maxSessions {
		delete(s.locked.all, oldest)
	}
	s.locked.all[number] = &session{token: token, began: now, used: now}
	return number
}

// token returns that of a session, "" where it is over.
func (s *sessions) token(number string) string {
	now := s.clock.Now()
	s.locked.Lock()
	defer s.locked.Unlock()
	session, found := s.locked.all[number]
	if !found {
		return ""
	}
	if session.over(now) {
		delete(s.locked.all, number)
		return ""
	}
	session.used = now
	return session.token
}

func (s *sessions) end(number string) {
	s.locked.Lock()
	defer s.locked.Unlock()
	delete(s.locked.all, number)
}

func (s *session) over(now time.Time) bool {
	return now.Sub(s.used) > maxIdle || now.Sub(s.began) > maxAge
}

// cookieOf is the cookie with a session's number; "" takes it away.
func cookieOf(r *http.Request, number string) *http.Cookie {
	cookie := &http.Cookie{
		Name: nameFor(r), Value: number, Path: "/", HttpOnly: true, Secure: r.TLS != nil,
		SameSite: http.SameSiteStrictMode,
	}
	if number == "" {
		cookie.MaxAge = -1
	}
	return cookie
}

// nameFor binds the cookie to its host where there is TLS.
func nameFor(r *http.Request) string {
	if r.TLS != nil {
		return "__Host-" + cookieName
	}
	return cookieName
}

// numberIn returns the session's number in a request, "" where it has none.
func numberIn(r *http.Request) string {
	cookie, err := r.Cookie(nameFor(r))
	if err != nil {
		return ""
	}
	return cookie.Value
}
