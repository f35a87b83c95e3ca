package trace

import (
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
)

// Bounds of notifications.
const (
	NoticesMost = 100 // of an account
	GroupsMost  = 10
	UsersMost   = 50 // in all groups together
)

// Notice says which key events somebody is told of.
type Notice struct {
	Customer, Project string
	ID                string
	Name              string
	Every             bool // every event (complete), else Operations (customized)
	Agency            string
	Operations        []Operations
	Users             []Group // whose doing; none: anybody's
	Enabled           bool
	Topic             string // where to; what calls a function begins with urn:fss
	Filter            *Filter
	Created           time.Time
}

// Operations are events of a resource type.
type Operations struct {
	Service      string   `json:"service_type"`
	ResourceType string   `json:"resource_type"`
	Names        []string `json:"trace_names"`
}

// Group is some users of a user group.
type Group struct {
	Name  string   `json:"user_group"`
	Users []string `json:"user_list"`
}

// Filter is a further condition.
type Filter struct {
	Condition string   `json:"condition"` // AND or OR
	On        bool     `json:"is_support_filter"`
	Rules     []string `json:"rule"`
	parsed    []rule
}

type rule struct {
	field, value string
	not          bool
}

var ruleForm = regexp.MustCompile(`^\s*(api_version|code|trace_rating|trace_type|resource_id|resource_name)\s*(!=|=)\s*(.+?)\s*$`)

// parse reads the rules.
func (f *Filter) parse() error {
	f.parsed = f.parsed[:0]
	for i, text := range f.Rules {
		m := ruleForm.FindStringSubmatch(text)
		if m == nil {
			return invalid("CTS.0003", "filter.rule[%d]: want field = value or field != value, of api_version, code, trace_rating, trace_type, resource_id, resource_name", i)
		}
		f.parsed = append(f.parsed, rule{m[1], strings.Trim(m[3], `"`), m[2] == "!="})
	}
	return nil
}

// passes says whether a line meets the rules: all of them, or any.
func (f *Filter) passes(l *Line) bool {
	if f == nil || !f.On || len(f.parsed) == 0 {
		return true
	}
	all := f.Condition != "OR"
	for _, r := range f.parsed {
		has := map[string]string{"api_version": l.APIVersion, "code": l.Code, "trace_rating": l.Rating, "trace_type": l.Kind, "resource_id": l.ResourceID, "resource_name": l.ResourceName}[r.field]
		if (has == r.value) == r.not == all {
			return !all
		}
	}
	return all
}

// wants says whether a line is one to tell of.
func (n *Notice) wants(l *Line) bool {
	if !n.Enabled || n.Topic == "" {
		return false
	}
	named := n.Every || slices.ContainsFunc(n.Operations, func(o Operations) bool {
		return o.Service == l.Service && o.ResourceType == l.ResourceType && slices.Contains(o.Names, l.Name)
	})
	theirs := len(n.Users) == 0 || slices.ContainsFunc(n.Users, func(g Group) bool { return slices.Contains(g.Users, l.CallerName) })
	return named && theirs && n.Filter.passes(l)
}

var noticeName = regexp.MustCompile(`^[\p{Han}A-Za-z0-9_]+$`)

var noNotice = fault.New(fault.NotFound, "CTS.0100", "There is no such notification.")

func (n *Notice) check() error {
	users := 0
	for _, g := range n.Users {
		users += len(g.Users)
	}
	switch {
	case !noticeName.MatchString(n.Name) || utf8.RuneCountInString(n.Name) > 64:
		return invalid("CTS.0400", "The notification name is not valid: letters, digits and _ only.")
	case !n.Every && len(n.Operations) == 0:
		return invalid("CTS.0003", "operations: a customized notification names some")
	case len(n.Users) > GroupsMost || users > UsersMost:
		return invalid("CTS.0003", "notify_user_list: at most %d groups and %d users in all", GroupsMost, UsersMost)
	case n.Enabled && n.Topic == "":
		return invalid("CTS.0003", "topic_id: an enabled notification needs somewhere to send to")
	case n.Filter != nil:
		return n.Filter.parse()
	}
	return nil
}

// AddNotice adds a notification; one without a topic is disabled.
func AddNotice(ctx context.Context, tx *db.Tx, random io.Reader, n *Notice) error {
	n.Enabled = n.Topic != ""
	if err := n.check(); err != nil {
		return err
	}
	all, err := notices(ctx, tx, n.Customer)
	if err != nil {
		return err
	}
	if len(all) >= NoticesMost {
		return invalid("CTS.0200", "There are as many notifications as there may be: %d.", NoticesMost)
	}
	if taken(all, n) {
		return invalid("CTS.0400", "There is a notification named %s already.", n.Name)
	}
	id, err := ident.NewTrackerID(random)
	if err != nil {
		return err
	}
	n.ID, n.Created = string(id), tx.Now
	return errors.Join(insertNotice(ctx, tx, n), raiseVersion(ctx, tx))
}

func taken(all []Notice, n *Notice) bool {
	return slices.ContainsFunc(all, func(o Notice) bool { return o.Project == n.Project && o.Name == n.Name && o.ID != n.ID })
}

// ReplaceNotice puts a notification in the place of the one with its id.
func ReplaceNotice(ctx context.Context, tx *db.Tx, n *Notice) error {
	if err := n.check(); err != nil {
		return err
	}
	all, err := notices(ctx, tx, n.Customer)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(o Notice) bool { return o.Project == n.Project && o.ID == n.ID })
	if i < 0 {
		return noNotice
	}
	if taken(all, n) {
		return invalid("CTS.0400", "There is a notification named %s already.", n.Name)
	}
	n.Created = all[i].Created
	if _, err := deleteNotice(ctx, tx, n.Customer, n.Project, n.ID); err != nil {
		return err
	}
	return errors.Join(insertNotice(ctx, tx, n), raiseVersion(ctx, tx))
}

// DropNotices removes notifications by id: all of them or none.
func DropNotices(ctx context.Context, tx *db.Tx, customer, project string, ids []string) error {
	for _, id := range ids {
		found, err := deleteNotice(ctx, tx, customer, project, id)
		if err != nil {
			return err
		}
		if !found {
			return noNotice
		}
	}
	return raiseVersion(ctx, tx)
}

// Notices lists the notifications of a project: those that call functions or those that send messages, one by name or all.
func Notices(ctx context.Context, r db.Reader, customer, project string, functions bool, name string) ([]Notice, error) {
	all, err := notices(ctx, r, customer)
	return slices.DeleteFunc(all, func(n Notice) bool {
		return n.Project != project || n.Calls() != functions || name != "" && n.Name != name
	}), err
}

// Calls says whether a notification calls a function; else it sends a message.
func (n *Notice) Calls() bool { return strings.HasPrefix(n.Topic, "urn:fss") }
