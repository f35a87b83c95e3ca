package portal

import (
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// here is this page's address, for a form to come back to.
func (v *visit) here() string {
	if v.r.Method == http.MethodGet {
		return v.r.URL.RequestURI()
	}
	if v.page != nil {
		return v.page.path
	}
	return "/"
}

func (v *visit) nextTheme() string {
	return map[string]string{"auto": "light", "light": "dark", "dark": "auto"}[v.theme]
}

// look changes language and theme; nothing else of the visit changes.
func (p *Portal) look(v *visit) {
	v.setLook(v.r.PostFormValue("lang"), v.r.PostFormValue("theme"))
	v.setCookie(lookCookie, [...]string{"en", "zh"}[v.lang]+"-"+v.theme, 365*24*time.Hour, false)
	at := v.form("_back")
	if !local(at) {
		at = "/"
	}
	v.redirect(at)
}

// group is a heading of the navigation with its pages.
type group struct {
	name  string
	pages []*page
}

// groups is the navigation of the visitor's kind of account, without what the endpoint lacks.
func (v *visit) groups() []group {
	var out []group
	for _, one := range v.portal.pages {
		if one.group == "" || !one.isFor(v.session.Kind) || one.own && !v.session.Own {
			continue
		}
		if len(out) == 0 || out[len(out)-1].name != one.group {
			out = append(out, group{name: one.group})
		}
		last := &out[len(out)-1]
		last.pages = append(last.pages, one)
	}
	return out
}

func (v *visit) isHere(one *page) bool {
	return v.page == one || v.page.parent == one.path
}

// shownCalls are the calls of the deed before this page, then those of the page.
func (v *visit) shownCalls() []call {
	var out []call
	if v.told != nil && v.told.Deed != "" {
		if one := v.portal.done.find(v.told.Deed); one != nil {
			for _, c := range one.calls {
				if c.Operation != "ShowMe" {
					out = append(out, c)
				}
			}
		}
	}
	return append(out, v.log.list()...)
}

func (c *call) path() string {
	u, err := url.Parse(c.URL)
	if err != nil {
		return c.URL
	}
	return u.Path + c.queryText()
}

func (c *call) took() string {
	return strconv.FormatInt(c.Took.Microseconds()/1000, 10) + "." + strconv.FormatInt(c.Took.Microseconds()/100%10, 10) + " ms"
}
