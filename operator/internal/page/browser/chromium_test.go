package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// patience is for what a browser on a busy machine does.
const patience = time.Minute

// chromium is the browser. Each test has a window of its own, with cookies of its own.
var chromium context.Context

// startBrowser starts Debian's chromium without a screen.
func startBrowser(ctx context.Context) (stop func(), err error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, fmt.Errorf("run `make tools`: %w", err)
	}
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(options, chromedp.ExecPath(path), chromedp.WindowSize(1280, 900))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // it has none for root
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(ctx, options...)
	browser, stopBrowser := chromedp.NewContext(allocator)
	stop = func() {
		_ = chromedp.Cancel(browser) // it may be gone already
		stopBrowser()
		stopAllocator()
	}
	if err := chromedp.Do(browser); err != nil {
		stop()
		return nil, fmt.Errorf("starting chromium: %w", err)
	}
	chromium = browser
	return stop, nil
}

// window is a window of the browser.
type window struct {
	t    *testing.T
	ctx  context.Context
	base string // of all addresses
}

// open opens a window at an address of the page, for somebody who has not signed in.
func open(t *testing.T, address string) *window {
	t.Helper()
	return openAt(t, world.url, address)
}

func openAt(t *testing.T, base, address string) *window {
	t.Helper()
	ctx, stop := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext())
	t.Cleanup(stop)
	w := &window{t, ctx, base}
	if err := chromedp.Do(ctx); err != nil { // a window lives as long as the context of its first action
		t.Fatal(err)
	}
	w.do(chromedp.EmulateViewport(1280, 900))
	w.goTo(address)
	return w
}

// openSignedIn opens a window and signs in as a person does.
func openSignedIn(t *testing.T, address string) *window {
	t.Helper()
	w := open(t, address)
	w.signIn()
	return w
}

func (w *window) signIn() {
	w.t.Helper()
	w.until("the sign-in shows", `!document.getElementById("sign-in").hidden`)
	w.do(chromedp.SetValue(chromedp.CSS("#token"), world.token), chromedp.Click(chromedp.CSS("#sign-in button")))
	w.untilShown()
}

// untilShown waits for all rows.
func (w *window) untilShown() {
	w.t.Helper()
	w.until("the Machines are shown", `!document.getElementById("data").hidden && state.machines.size >= `+fmt.Sprint(machineCount))
}

func (w *window) goTo(address string) {
	w.t.Helper()
	w.do(chromedp.Navigate(w.base + address))
}

// do runs actions, within patience.
func (w *window) do(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		w.t.Fatalf("the browser does not do as it is told: %v", err)
	}
}

// get evaluates an expression of JavaScript into a value.
func get[T any](w *window, expression string, options ...chromedp.EvaluateOption) T {
	w.t.Helper()
	return result(w, chromedp.Evaluate[T](expression, options...))
}

// result runs an action, within patience.
func result[T any](w *window, action chromedp.Action[T]) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		w.t.Fatalf("the browser does not do as it is told: %v", err)
	}
	return value
}

// script runs statements of JavaScript.
func (w *window) script(statements string) {
	w.t.Helper()
	get[bool](w, statements+"; true")
}

// tell gives the browser a command of its protocol.
func tell[P any](w *window, command cdp.Command[P, cdp.Empty], parameters P) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, command, parameters); err != nil {
		w.t.Fatalf("%s: %v", command.Method, err)
	}
}

// prefer makes the browser one of a person who prefers light or dark, and no motion.
func (w *window) prefer(scheme string) {
	w.t.Helper()
	tell(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
}

// until waits for an expression to be true.
func (w *window) until(what, expression string) {
	w.t.Helper()
	eventually.Eventually(w.t, patience, what, func(ctx context.Context) error {
		holds, err := chromedp.Run(w.ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		if err == nil && !holds {
			err = errors.New("not yet: " + expression)
		}
		return errors.Join(err, ctx.Err())
	})
}

// text is what an element says.
func (w *window) text(selector string) string {
	w.t.Helper()
	return get[string](w, fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector))
}

// texts are what all elements say.
func (w *window) texts(selector string) []string {
	w.t.Helper()
	return get[[]string](w, fmt.Sprintf("[...document.querySelectorAll(%q)].map((each) => each.innerText)", selector))
}

// press types keys where the focus is.
func (w *window) press(keys string) {
	w.t.Helper()
	w.do(chromedp.KeyEvent(keys))
}

// address is what stands in the address after the page's own.
func (w *window) address() string {
	w.t.Helper()
	return get[string](w, "location.search")
}
