package page

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"k8s.io/apiserver/pkg/authentication/user"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/access"
)

const (
	// maxForm is the size of a sign-in, in bytes.
	maxForm = 32 << 10
	// maxWrite is how long an answer may take to be taken.
	maxWrite = 30 * time.Second
	// policy admits what the page itself brings, and nothing in it that is made from text.
	policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'"
)

// routes are all that is served: the page itself to everybody, data to those who may see them.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for path, file := range s.assets {
		mux.Handle("GET "+path, file)
	}
	mux.HandleFunc("POST /sign-in", s.signIn)
	mux.HandleFunc("POST /sign-out", s.signOut)
	mux.HandleFunc("GET /fleet.json", s.fleet)
	mux.HandleFunc("GET /events", s.events)
	return guarded(http.NewCrossOriginProtection().Handler(mux))
}

// guarded sets what holds for every answer, and refuses what another site asks for: the data are
// for this page and for programs.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range map[string]string{
			"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
			"Permissions-Policy": "camera=(), geolocation=(), microphone=()",
		} {
			w.Header().Set(name, value)
		}
		site, opened := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Sec-Fetch-Mode") == "navigate"
		if site != "" && site != "same-origin" && site != "none" && !opened {
			say(w, http.StatusForbidden, "Another site asked for this. Open the page by its own address.")
			return
		}
		deadline := time.Now().Add(maxWrite)
		_ = http.NewResponseController(w).SetWriteDeadline(deadline) // a stream sets its own
		next.ServeHTTP(w, r)
	})
}

// signIn opens a session for a token that the supervisor knows.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		say(w, http.StatusBadRequest, "This is no sign-in: send a form with the field token.")
		return
	}
	token := strings.TrimSpace(r.PostForm.Get("token"))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		say(w, http.StatusUnauthorized, "A token is one word. Make one with: kubectl create token NAME")
		return
	}
	if _, err := s.options.Gate.WhoHas(r.Context(), token); err != nil {
		s.refuse(w, err)
		return
	}
	s.sessions.end(numberIn(r))
	http.SetCookie(w, cookieOf(r, s.sessions.open(token)))
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	s.sessions.end(numberIn(r))
	http.SetCookie(w, cookieOf(r, ""))
	w.WriteHeader(http.StatusNoContent)
}

// who returns who asks: by a front proxy's headers, a token of the request or one of a session.
func (s *Server) who(r *http.Request) (user.Info, error) {
	who, err := s.options.Gate.Who(r)
	if !errors.Is(err, access.ErrNobody) || r.Header.Get("Authorization") != "" {
		return who, err
	}
	token := s.sessions.token(numberIn(r))
	if token == "" {
		return nil, access.ErrNobody
	}
	return s.options.Gate.WhoStillHas(r.Context(), token)
}

// fleet serves all that the page shows, as JSON.
func (s *Server) fleet(w http.ResponseWriter, r *http.Request) {
	who, err := s.who(r)
	if err != nil {
		s.refuse(w, err)
		return
	}
	rows, err := s.options.Feed.Snapshot(r.Context())
	if err != nil {
		s.refuse(w, err)
		return
	}
	viewer, err := s.viewer(r.Context(), who, rows)
	if err != nil {
		s.refuse(w, err)
		return
	}
	if viewer.SeesNothing() {
		say(w, http.StatusForbidden, nothingFor(viewer))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.shown(viewer, rows)) // a client that went away needs no answer
}

func nothingFor(viewer *access.Viewer) string {
	return viewer.Name + " may list neither Machines nor KubevirtConfigs here. Ask for the right to list " +
		"machines.vitistack.io, in all namespaces or in some, and kubevirtconfigs.vitistack.io."
}

// refuse says in a sentence why there are no data.
func (s *Server) refuse(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, access.ErrNobody):
		w.Header().Set("WWW-Authenticate", "Bearer")
		say(w, http.StatusUnauthorized, "Sign in: there is no token that the supervisor cluster knows. "+
			"It may have ended, or be for another audience. Make one with: kubectl create token NAME")
	case errors.Is(err, access.ErrNoAnswer):
		s.options.Logger.Error(err, "Nobody can be let in")
		w.Header().Set("Retry-After", "5")
		say(w, http.StatusServiceUnavailable,
			"The supervisor cluster gives no verdict about you, so that nothing is shown. The operator's log says more.")
	default:
		s.options.Logger.Error(err, "The caches cannot be read")
		w.Header().Set("Retry-After", "5")
		say(w, http.StatusServiceUnavailable, "The operator's caches are not filled yet. Try again in a moment.")
	}
}

// say answers with a sentence.
func say(w http.ResponseWriter, code int, sentence string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(sentence + "\n")) // a client that went away needs no answer
}
