// Package browser tries the portal in a real Chromium against a real server with a demo cloud: every page in both
// languages without an error in the console and without serious findings of accessibility, and the walks of a customer.
// Pictures of all pages are written to the folder of PURSER_PICTURES, if it is set.
package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/house/housetest"
)

type credentials struct {
	DomainID   string `json:"domain_id"`
	DomainName string `json:"domain_name"`
	User       string `json:"user"`
	Password   string `json:"password"`
	AccessKey  string `json:"access_key"`
	SecretKey  string `json:"secret_key"`
	ProjectID  string `json:"project_id"`
}

type cloud struct {
	Endpoint  string        `json:"endpoint"`
	Region    string        `json:"region"`
	Operator  credentials   `json:"operator"`
	Partner   credentials   `json:"partner"`
	Customers []credentials `json:"customers"`
	data      string
	database  string // empty: SQLite, in data
	binary    string

	ProjectUser credentials `json:"project_user"`
}

var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "purser-browser")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "purser")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/purser-cloud/purser/cmd/purser").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// walks are what is tried in the browser, one after the other on one server: each leaves the demo cloud fit for the others.
var walks = []struct {
	name string
	walk func(*testing.T, *cloud)
	once bool // what it shows has nothing to do with the store: on one engine
}{
	{name: "readme", walk: walkReadmePictures, once: true},
	{name: "pages", walk: walkPages, once: true},
	{name: "scripts", walk: walkWithoutScripts, once: true},
	{name: "buy", walk: walkBuyPayRenewUnsubscribe},
	{name: "bill", walk: walkBillAddsUp},
	{name: "project-user", walk: walkProjectUser},
	{name: "traces", walk: walkTraceSearch},
	{name: "enable-traces", walk: walkEnableTraces},
	{name: "alone", walk: walkPagesAlone, once: true},
	{name: "account", walk: walkAccountForms},
	{name: "house", walk: walkOperatorKeepsHouse},
	{name: "customers", walk: walkOperatorKeepsCustomers}, // its tax of one country leaves closes of others without a rate
	{name: "price", walk: walkOperatorPublishesPrice},
}

// The walks on SQLite and, in the long form, on PostgreSQL too, which takes three minutes more.
func TestPortal(t *testing.T) {
	if os.Getenv("PURSER_TEST_SQLITE") != "off" {
		t.Run("sqlite", func(t *testing.T) { portal(t, "") })
	}
	if address := os.Getenv("PURSER_TEST_POSTGRES"); address != "" && os.Getenv("PURSER_LONG") != "" {
		t.Run("postgres", func(t *testing.T) { portal(t, address) })
	}
}

func portal(t *testing.T, address string) {
	c := start(t, address)
	operator, err := client.New(c.Endpoint, client.Credential{AccessKey: c.Operator.AccessKey, SecretKey: c.Operator.SecretKey}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := housetest.Soon()
	housetest.Stand(t, operator.Purser, at)
	set := exec.Command(c.binary, "clock", "set", at.Add(time.Second/2).Format(time.RFC3339Nano), "--data", c.data, "--database", c.database) // as "advance" leaves it
	if out, err := set.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, w := range walks {
		if w.once && address != "" {
			continue
		}
		t.Run(w.name, func(t *testing.T) { w.walk(t, c) })
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	if chrome.end != nil {
		chrome.end()
	}
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path)) //nolint:errcheck // a temporary folder
	}
	os.Exit(code)
}

// chromium finds the browser; without one, and without axe-core, the test is skipped: test/needs installs both.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium here: test/needs says how to get it")
	return ""
}

// start runs a server with a demo cloud of its own; pages are only built for the test.
func start(t *testing.T, address string) *cloud {
	t.Helper()
	chromium(t)
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	c := &cloud{binary: path}
	c.data, c.database = housetest.Furnished(t, address)
	args := []string{"serve", "--demo", "--data", c.data, "--listen", "127.0.0.1:0", "--test-clock", "--log-level", "error"}
	if c.database != "" {
		args = append(args, "--database", c.database)
	}
	run(t, "purser is open", path, args...)
	c.read(t)
	return c
}

// read reads what the demo cloud says of itself.
func (c *cloud) read(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.data, "demo.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, c); err != nil {
		t.Fatal(err)
	}
}

// behind writes into the store behind the server's back, what only time or an accident brings about.
func (c *cloud) behind(t *testing.T, sql string, args ...any) {
	t.Helper()
	at := c.database
	if at == "" {
		at = filepath.Join(c.data, "purser.db")
	}
	d, err := db.Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	err = d.Update(t.Context(), db.Instants{Now: now, Real: now}, func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), sql, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

// run starts a program that ends with the test, and answers with the line in which it says that it is there.
func run(t *testing.T, there string, program string, args ...string) string {
	t.Helper()
	command := exec.Command(program, args...)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Signal(syscall.SIGTERM) //nolint:errcheck // it may have ended
		if err := command.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	open := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if strings.Contains(lines.Text(), there) {
				open <- lines.Text()
				there = "\x00"
			}
		}
	}()
	select {
	case line := <-open:
		return line
	case <-time.After(2 * time.Minute):
		t.Fatal("the server did not open")
	}
	return ""
}

// tab is a tab of the browser, with what its console said.
type tab struct {
	t     *testing.T
	ctx   context.Context
	at    string
	mu    sync.Mutex
	wrong []string
}

// chrome is the one browser of the process; tabs that are opened in it share nothing.
var chrome struct {
	sync.Once
	ctx context.Context
	end func()
	err error
}

func launch(path string) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 900))
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	chrome.ctx, chrome.end = ctx, func() { cancel(); end() }
	chrome.err = chromedp.Do(ctx) // the first one starts the browser, which lives as long as its context
}

// open opens a tab without cookies.
func open(t *testing.T, at string) *tab {
	t.Helper()
	path := chromium(t)
	chrome.Do(func() { launch(path) })
	if chrome.err != nil {
		t.Fatal(chrome.err)
	}
	ctx, cancel := chromedp.NewContext(chrome.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	ctx, over := context.WithTimeout(ctx, 10*time.Minute)
	t.Cleanup(over)
	b := &tab{t: t, ctx: ctx, at: at}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(1280, 900))
	go func() {
		for m := range chromedp.Console(ctx) {
			if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning || m.Type == chromedp.ConsoleException {
				b.mu.Lock()
				b.wrong = append(b.wrong, fmt.Sprintf("console, %s: %s %s", m.Type, m.Text, m.URL))
				b.mu.Unlock()
			}
		}
	}()
	return b
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		at, _ := chromedp.Run(b.ctx, chromedp.Location())     //nolint:errcheck // for the message
		text, _ := chromedp.Run(b.ctx, chromedp.Text("main")) //nolint:errcheck // for the message
		b.t.Fatalf("%v at %s:\n%.1500s", err, at, text)
	}
}

// eval evaluates in the page.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	out, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return out
}

func (b *tab) goTo(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.at + path))
}

// text is what a part of the page says.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf("(document.querySelector(%q) || {innerText: ''}).innerText", selector))
}

// signIn signs a user in.
func (b *tab) signIn(c credentials) {
	b.t.Helper()
	b.goTo("/signin")
	b.do(chromedp.SendKeys("#f-account", c.DomainName), chromedp.SendKeys("#f-user", c.User), chromedp.SendKeys("#f-password", c.Password))
	b.press("form.stack button")
	if at := eval[string](b, "location.pathname"); at == "/signin" {
		b.t.Fatalf("not signed in: %s", b.text("main"))
	}
}

// press presses a button or a link that leads to another page, and waits until that is there.
func (b *tab) press(selector string) {
	b.t.Helper()
	eval[bool](b, "window.before_ = true")
	if sure := fmt.Sprintf("(e => e != null && 'sure' in e.dataset)(document.querySelector(%q))", selector); eval[bool](b, sure) {
		b.do(chromedp.Click(selector))
		if !eval[bool](b, "window.before_ && document.querySelector('button.asked') != null") {
			b.t.Errorf("%s does not ask first", selector)
		}
	}
	b.do(chromedp.Click(selector))
	for range 300 {
		if there, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!window.before_ && document.readyState === 'complete'")); err == nil && there {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Fatalf("%s led nowhere", selector)
}

// download presses what downloads a file, and waits for that.
func (b *tab) download(selector string) (name, content string) {
	b.t.Helper()
	folder := b.t.TempDir()
	allow := browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID, DownloadPath: folder,
	}
	if _, err := chromedp.CallBrowser(b.ctx, browser.SetDownloadBehavior, allow); err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.Click(selector))
	until(b.t, "the file of "+selector, func() bool {
		files, err := os.ReadDir(folder)
		if err != nil || len(files) != 1 || strings.HasPrefix(files[0].Name(), ".") || strings.HasSuffix(files[0].Name(), ".crdownload") {
			return false
		}
		name = files[0].Name()
		text, err := os.ReadFile(filepath.Join(folder, name))
		content = strings.TrimPrefix(string(text), "\ufeff")
		return err == nil && content != ""
	})
	return name, content
}

// look sets language and colours.
func (b *tab) look(lang, theme string) {
	b.t.Helper()
	eval[bool](b, fmt.Sprintf(`fetch("/look", {method: "POST", body: new URLSearchParams({lang: %q, theme: %q})}).then(() => true)`, lang, theme))
}

// said are the errors of the console since it was last asked.
func (b *tab) said() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.wrong
	b.wrong = nil
	return out
}

// picture takes the whole page, if pictures are wanted.
func (b *tab) picture(name string) {
	b.t.Helper()
	folder := os.Getenv("PURSER_PICTURES")
	if folder == "" {
		return
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), b.shot(), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// shot is the whole page as PNG.
func (b *tab) shot() []byte {
	b.t.Helper()
	shot, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	return shot
}

// anew does something that brings a part of the page anew, and waits for that.
func (b *tab) anew(part string, do func()) {
	b.t.Helper()
	at := fmt.Sprintf("document.getElementById(%q)", part)
	eval[string](b, at+".dataset.before = 'yes'")
	do()
	until(b.t, "a new "+part, func() bool { return eval[bool](b, at+" != null && !"+at+".dataset.before") })
}

// choose chooses a value of a form that sends itself, and waits for the list.
func (b *tab) choose(selector, value string) {
	b.t.Helper()
	b.anew("list", func() {
		if !eval[bool](b, fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.value = %q; e.dispatchEvent(new Event("change", {bubbles: true})); return e.value === %[2]q; })()`, selector, value)) {
			b.t.Fatalf("%s has no %q", selector, value)
		}
	})
}

// finding is something that axe-core found.
type finding struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML string `json:"html"`
	}
}

var axe = sync.OnceValues(func() (string, error) {
	text, err := os.ReadFile(filepath.Join("node_modules", "axe-core", "axe.min.js"))
	return string(text), err
})

// accessible checks the page with axe-core: nothing serious.
func (b *tab) accessible() {
	b.t.Helper()
	script, err := axe()
	if err != nil {
		b.t.Fatalf("axe-core: %v; test/needs installs it", err)
	}
	eval[bool](b, script+";true")
	result := eval[string](b, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`)
	var found []finding
	if err := json.Unmarshal([]byte(result), &found); err != nil {
		b.t.Fatal(err)
	}
	for _, f := range found {
		if f.Impact == "serious" || f.Impact == "critical" {
			html := ""
			for i, n := range f.Nodes {
				if i < 3 {
					html += "\n    " + n.HTML
				}
			}
			b.t.Errorf("%s: %s (%s): %s%s", eval[string](b, "location.pathname + location.search"), f.ID, f.Impact, f.Help, html)
		}
	}
}
