package browser

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

const (
	// bound is how long the first paint and an event may take. Of several tries the best counts: the
	// machine may be busy with something else.
	bound = time.Second
	tries = 5
)

// TestFirstPaint measures from the navigation to the first paint with content, and to the Machines.
func TestFirstPaint(t *testing.T) {
	w := openSignedIn(t, "")
	var paints, rows []time.Duration
	for range tries {
		w.goTo("")
		w.untilShown()
		w.until("it was painted", `performance.getEntriesByName("first-contentful-paint").length > 0`)
		paints = append(paints, millis(get[float64](w, `performance.getEntriesByName("first-contentful-paint")[0].startTime`)))
		rows = append(rows, millis(get[float64](w, `performance.getEntriesByName("shown")[0].startTime`)))
	}
	t.Logf("first paint %v, %d Machines shown %v", paints, machineCount, rows)
	if best := slices.Min(paints); best > bound {
		t.Errorf("the first paint takes %s, and may take %s", best, bound)
	}
}

func millis(ms float64) time.Duration {
	return time.Duration(ms * float64(time.Millisecond)).Round(100 * time.Microsecond)
}

// TestEventShown measures from the write of a status to the text on the page.
func TestEventShown(t *testing.T) {
	w := openSignedIn(t, "?q=web-0000")
	w.until("one Machine is shown", `document.querySelectorAll("#machines tbody tr").length === 1`)
	var times []time.Duration
	for i := range 2 * tries {
		word := fmt.Sprintf("event number %d", i)
		w.script(fmt.Sprintf(`window.shown = 0; window.watching?.disconnect();
			window.watching = new MutationObserver(() => {
				if (!window.shown && document.querySelector("#machines tbody").innerText.includes(%q)) window.shown = Date.now();
			});
			window.watching.observe(document.body, {subtree: true, childList: true, characterData: true})`, word))
		began := time.Now()
		told(t, "billing", "web-0000", metav1.Condition{Status: metav1.ConditionFalse,
			Reason: vitistackv1alpha1.ReasonGuestNotReady, Message: word})
		w.until("the event is shown", "window.shown")
		times = append(times, millis(get[float64](w, "window.shown")-float64(began.UnixMicro())/1000))
	}
	told(t, "billing", "web-0000", metav1.Condition{Status: metav1.ConditionTrue, Reason: vitistackv1alpha1.ReasonReady, Message: "running"})
	slices.Sort(times)
	t.Logf("an event is shown after %s, half of them within %s, all within %s", times[0], times[len(times)/2], times[len(times)-1])
	if times[0] > bound {
		t.Errorf("an event is shown after %s, and may take %s", times[0], bound)
	}
}

// told changes the condition Ready of a Machine.
func told(t *testing.T, namespace, name string, condition metav1.Condition) {
	t.Helper()
	c, machine := world.fleet.Supervisor.Client(), &vitistackv1alpha1.Machine{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, machine); err != nil {
		t.Fatal(err)
	}
	before := client.MergeFrom(machine.DeepCopy())
	condition.Type = vitistackv1alpha1.ConditionReady
	machine.Status.SetCondition(condition)
	if err := c.Status().Patch(t.Context(), machine, before); err != nil {
		t.Fatal(err)
	}
}

// clusterRow is an expression for what the row of a cluster says.
func clusterRow(name string) string {
	return fmt.Sprintf(`([...document.querySelectorAll("#clusters tbody tr")].find((row) => row.cells[0].innerText === %q)?.innerText ?? "")`, name)
}

// TestClusterGoesAndComesBack cuts a real control plane off and lets it back, while others stay.
func TestClusterGoesAndComesBack(t *testing.T) {
	w := openSignedIn(t, "?cluster=cluster-east")
	east := world.fleet.Remotes[0]
	for _, name := range configNames {
		w.until(name+" is connected", clusterRow(name)+`.includes("Connected")`)
	}
	w.until("it is measured", clusterRow("cluster-east")+`.match(/v1\..*v1\..* ms.* CPU, .* GiB free/s)`)
	phases := w.texts("#machines tbody td:nth-child(2)")
	if err := east.SetFault(faults.Fault{Kind: faults.Refuse}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = east.SetFault(faults.Fault{}) })
	w.until("cluster-east is gone", clusterRow("cluster-east")+`.match(/Degraded|Disconnected/)`)
	w.until("it is told why", clusterRow("cluster-east")+`.includes("Unreachable")`)
	w.until("it is told aloud", `document.getElementById("live").innerText.includes("cluster-east")`)
	for _, name := range configNames[1:] {
		if row := get[string](w, clusterRow(name)); !strings.Contains(row, "Connected") {
			t.Errorf("another cluster is told to be gone: %q", row)
		}
	}
	if got := w.texts("#machines tbody td:nth-child(2)"); !slices.Equal(got, phases) {
		t.Errorf("its Machines have other phases: %v", got)
	}
	if err := east.SetFault(faults.Fault{}); err != nil {
		t.Fatal(err)
	}
	w.until("cluster-east is back", clusterRow("cluster-east")+`.includes("Connected")`)
	w.until("history has both", `document.getElementById("history").innerText.match(/cluster-east\s+Connected is True, was False/) &&
		document.getElementById("history").innerText.match(/cluster-east\s+Connected is False/)`)
	if body := w.text("body"); strings.Contains(body, east.ControlPlane.Addr()) || strings.Contains(body, east.Proxy.Addr()) {
		t.Error("the address of the API server is on the page")
	}
}

// TestOperatorGoesAndComesBack: a page whose operator was restarted says so, and goes on by itself.
func TestOperatorGoesAndComesBack(t *testing.T) {
	proxy, err := faults.Start(faults.Options{Target: strings.Trim(strings.TrimPrefix(world.url, "http:"), "/")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	w := openAt(t, "http://"+proxy.Addr()+"/", "?q=worker-0001")
	w.signIn()
	if err := proxy.Set(faults.Fault{Kind: faults.Refuse}); err != nil {
		t.Fatal(err)
	}
	w.until("it is said", `document.getElementById("live").dataset.state === "lost"`)
	told(t, "buildfarm", "worker-0001", metav1.Condition{Status: metav1.ConditionFalse, Reason: vitistackv1alpha1.ReasonGuestNotReady,
		Message: "while nobody listened"})
	if err := proxy.Set(faults.Fault{}); err != nil {
		t.Fatal(err)
	}
	w.until("it goes on", `document.getElementById("live").dataset.state === "live"`)
	w.until("what was missed is there", `document.getElementById("machines").innerText.includes("while nobody listened")`)
}

// TestHidden: a page that nobody sees stops listening after a while, and begins again when it is
// seen.
func TestHidden(t *testing.T) {
	w := openSignedIn(t, "?q=database-0002")
	w.script(`state.hiddenFor = 10; window.hidden = true;
		Object.defineProperty(document, "hidden", {get: () => window.hidden});
		document.dispatchEvent(new Event("visibilitychange"))`)
	w.until("it has stopped", `document.getElementById("live").dataset.state === "paused" && attempt.signal.aborted`)
	told(t, "checkout", "database-0002", metav1.Condition{Status: metav1.ConditionFalse, Reason: vitistackv1alpha1.ReasonGuestNotReady,
		Message: "while nobody looked"})
	w.script(`window.hidden = false; document.dispatchEvent(new Event("visibilitychange"))`)
	w.until("it listens again", `document.getElementById("live").dataset.state === "live" &&
		document.getElementById("machines").innerText.includes("while nobody looked")`)
}

// violation is a rule of axe that something breaks.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML, FailureSummary string }
}

// axe checks what is shown. It must not change what it looks at, and its own script is not the
// page's: it comes in past the page's policy.
func (w *window) axe(what string) {
	w.t.Helper()
	for _, v := range w.violations(what) {
		shown, _ := json.Marshal(v.Nodes)
		w.t.Errorf("%s: %s (%s): %s: %s", what, v.ID, v.Impact, v.Help, shown)
	}
}

func (w *window) violations(what string) []violation {
	w.t.Helper()
	script, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil {
		w.t.Fatalf("run `make tools`: %v", err)
	}
	if !get[bool](w, "Boolean(window.axe)") {
		w.script(string(script))
	}
	found := get[struct{ Violations, Passes []violation }](w, `axe.run(document, {resultTypes: ["violations", "passes"]}).
		then(({violations, passes}) => ({Violations: violations.map(brief), Passes: passes.map(brief)}));
		function brief({id, impact, help, nodes}) {
			return {ID: id, Impact: impact ?? "", Help: help, Nodes: nodes.slice(0, 3).map((n) => ({HTML: n.html, FailureSummary: n.failureSummary ?? ""}))};
		}`, chromedp.EvalAwaitPromise)
	if len(found.Passes) < 10 {
		w.t.Errorf("%s: axe looked at %d rules: it has seen nothing", what, len(found.Passes))
	}
	return found.Violations
}

// TestAccessible holds everything that can be shown to the rules of axe, in light and in dark.
func TestAccessible(t *testing.T) {
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			w := open(t, "")
			tell(w, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true})
			w.prefer(scheme)
			w.goTo("")
			w.until("the sign-in shows", `!document.getElementById("sign-in").hidden`)
			w.axe("sign-in")
			w.signIn()
			w.axe("fleet")
			w.goTo("?wrong=1&open=machine/support/database-0007")
			w.untilShown()
			w.until("details are open", `document.getElementById("details").open`)
			w.axe("a Machine")
			w.goTo("?open=cluster/lab")
			w.untilShown()
			w.axe("a cluster")
			w.goTo("")
			w.untilShown()
			w.press("?")
			w.until("the keys are shown", `document.getElementById("keys").open`)
			w.axe("keys")
			w.script(`document.querySelector("#keys button").style.color = "grey"; document.querySelector("#keys button").textContent = ""`)
			if w.violations("a button without a name") == nil {
				t.Error("axe finds nothing wrong with a button without a name: it looks at nothing")
			}
			back := get[string](w, "getComputedStyle(document.body).backgroundColor")
			if want := map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"}[scheme]; back != want {
				t.Errorf("it is %s, want %s", back, want)
			}
		})
	}
}

// TestKeys does everything without a mouse.
func TestKeys(t *testing.T) {
	w := openSignedIn(t, "")
	focus := func() string {
		w.t.Helper()
		return get[string](w, "document.activeElement.innerText || document.activeElement.id")
	}
	names := w.texts("#machines tbody th")
	w.press("m")
	if got := focus(); got != names[0] {
		t.Errorf("m leads to %q, want %q", got, names[0])
	}
	w.press("jj")
	w.press("k")
	if got := focus(); got != names[1] {
		t.Errorf("j, j and k lead to %q, want %q", got, names[1])
	}
	w.press(kb.Enter)
	w.until("details are open", `document.getElementById("details").open`)
	if got := w.text("#details-title"); got != "Machine "+names[1] {
		t.Errorf("details are of %q", got)
	}
	w.press(kb.Escape)
	w.until("details are closed", `!document.getElementById("details").open`)
	if got := focus(); got != names[1] {
		t.Errorf("the focus comes back to %q, want %q", got, names[1])
	}
	w.press("n")
	if got := w.text("#which-page"); got != "Page 2 of 20" {
		t.Errorf("n leads to %q", got)
	}
	w.press("p")
	w.press("c")
	if got := focus(); got != configNames[0] {
		t.Errorf("c leads to %q", got)
	}
	w.press("w")
	if got := w.address(); got != "?wrong=1" {
		t.Errorf("w makes the address %q", got)
	}
	w.press("w")
	w.press("/")
	if got := focus(); got != "q" {
		t.Errorf("/ leads to %q", got)
	}
	w.press("web-0000") // letters that are keys elsewhere
	w.until("one Machine is found", `document.querySelectorAll("#machines tbody tr").length === 1`)
	w.press(kb.Escape)
	w.until("the search is cleared", `document.querySelectorAll("#machines tbody tr").length === 100`)
	w.press("?")
	w.until("the keys are shown", `document.getElementById("keys").open`)
	w.press(kb.Escape)
}

// TestAddress: what is filtered stands in the address, and the address filters.
func TestAddress(t *testing.T) {
	w := openSignedIn(t, "?cluster=cluster-north&phase=Failed&sort=name")
	want := countOf(func(m *vitistackv1alpha1.Machine) bool {
		return m.Status.KubevirtConfigRef != nil && m.Status.KubevirtConfigRef.Name == "cluster-north" && m.Status.Phase == "Failed"
	})
	if got := len(w.texts("#machines tbody tr")); got != want || want == 0 {
		t.Errorf("%d Machines are shown, want %d", got, want)
	}
	if got := w.text("#machines-count"); got != fmt.Sprintf("%d of %d", want, machineCount) {
		t.Errorf("the page counts %q", got)
	}
	if got := get[string](w, `document.getElementById("cluster").value + document.getElementById("phase").value`); got != "cluster-northFailed" {
		t.Errorf("the filters show %q", got)
	}
	w.do(chromedp.Click(chromedp.CSS("#filters button[type=reset]")))
	w.until("all are shown", `document.getElementById("machines-count").innerText === "2000"`)
	w.do(chromedp.SendKeys(chromedp.CSS("#q"), "10.3. unschedulable"))
	w.until("the search is in the address", `location.search.includes("q=10.3.+unschedulable")`)
	found := w.texts("#machines tbody th")
	if len(found) == 0 || len(found) > 20 {
		t.Errorf("the search finds %d: %v", len(found), found)
	}
	w.do(chromedp.Reload())
	w.untilShown()
	if got := w.texts("#machines tbody th"); !slices.Equal(got, found) {
		t.Errorf("after a reload it finds %v, want %v", got, found)
	}
	w.goTo("?page=20")
	w.untilShown()
	if got := w.text("#which-page"); got != "Page 20 of 20" {
		t.Errorf("it shows %q", got)
	}
	w.script(`document.querySelector("#clusters a").click()`)
	w.until("a cluster's Machines", `location.search === "?cluster=cluster-east"`)
	w.do(chromedp.NavigateBack())
	w.until("back is back", `location.search === "?page=20" && document.getElementById("which-page").innerText === "Page 20 of 20"`)
	w.do(chromedp.Click(chromedp.CSS("[data-sort=name] button")), chromedp.Click(chromedp.CSS("[data-sort=name] button")))
	if got := w.texts("#machines tbody th"); !slices.IsSortedFunc(got, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Errorf("two clicks on the name sort as %v", got[:5])
	}
}

// TestHostileText: what a status says is text, and the page asks nobody but the operator.
func TestHostileText(t *testing.T) {
	w := open(t, "")
	var mu sync.Mutex
	var asked []string
	tell(w, network.Enable, network.EnableParams{})
	err := chromedp.Listen(w.ctx, func(event any) {
		if sent, is := event.(*network.EventRequestWillBeSent); is {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, sent.Request.URL)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	w.script(`document.addEventListener("securitypolicyviolation", () => { window.violated = true; })`)
	w.signIn()
	w.script(`change({open: "machine/` + machineOf(7).Namespace + "/" + machineOf(7).Name + `"})`)
	w.until("details are open", `document.getElementById("details").open`)
	if body := w.text("#details-body"); !strings.Contains(body, hostile) {
		t.Errorf("the message is not shown as it is: %s", body)
	}
	if get[bool](w, `Boolean(window.ran || window.violated || document.querySelector("main img, dialog img, main script"))`) {
		t.Error("something was made of the message")
	}
	refused := get[string](w, `(() => { try { document.body.innerHTML = "<b>x</b>"; return "made"; } catch (e) { return e.name; } })()`)
	if refused != "TypeError" {
		t.Errorf("the policy lets text become elements: %s", refused)
	}
	mu.Lock()
	defer mu.Unlock()
	own, _ := url.Parse(world.url)
	for _, each := range asked {
		if at, err := url.Parse(each); err != nil || at.Host != own.Host {
			t.Errorf("the page asks %s", each)
		}
	}
	if len(asked) < 2 {
		t.Errorf("the browser told of %d requests: the test looked at nothing", len(asked))
	}
}

// TestSignOut: after it nothing is left on the page.
func TestSignOut(t *testing.T) {
	w := openSignedIn(t, "?open=machine/billing/web-0000")
	w.press(kb.Escape)
	w.script(`document.getElementById("sign-out").click()`)
	w.until("the sign-in shows", `!document.getElementById("sign-in").hidden && document.getElementById("data").hidden`)
	if left := get[string](w, `document.body.textContent`); strings.Contains(left, "web-0000") {
		t.Error("a Machine is left on the page")
	}
	w.goTo("")
	w.until("a reload asks to sign in", `!document.getElementById("sign-in").hidden`)
}
