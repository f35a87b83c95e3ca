package operation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-faster/jx"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/outbox"
	"github.com/purser-cloud/purser/internal/trace"
)

// Homes keeps the projects of accounts that were met: they never change, only more accounts come. The zero Homes is ready.
type Homes struct {
	mu    sync.RWMutex
	known map[string]home
}

// home is an account as traces name it.
type home struct {
	Account  string // its name
	Project  string // where traces of global services lie; empty: the account has no projects, and no traces
	Projects []identity.Project
}

// homesMost bounds the memory.
const homesMost = 50_000

// homeOf finds an account's home project: that of the house's home region, else its first.
func (c *Counter) homeOf(ctx context.Context, r db.Reader, account string) (h home, err error) {
	if h, found := c.Homes.get(account); found || account == "" {
		return h, nil
	}
	d, err := identity.FindDomain(ctx, r, account)
	if err != nil {
		if _, unknown := fault.As(err); unknown {
			err = nil
		}
		return h, err
	}
	h.Account = d.Name
	if h.Projects, err = identity.Projects(ctx, r, account); err != nil || len(h.Projects) == 0 {
		return h, err
	}
	h.Project = h.Projects[0].ID
	if i := slices.IndexFunc(h.Projects, func(p identity.Project) bool { return p.Name == c.HomeRegion }); i >= 0 {
		h.Project = h.Projects[i].ID
	}
	if !db.IsOlder(r) {
		c.Homes.keep(account, h)
	}
	return h, nil
}

func (s *Homes) get(account string) (home, bool) {
	if s == nil {
		return home{}, false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	h, found := s.known[account]
	return h, found
}

func (s *Homes) keep(account string, h home) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= homesMost {
		s.known = map[string]home{}
	}
	s.known[account] = h
}

// ready looks up before a transaction what its trace needs, so that the trace costs the transaction nothing but its own lines.
func (c *Counter) ready(ctx context.Context, call *Call) error {
	if !traceable(call) {
		return nil
	}
	return c.DB.View(ctx, c.instants(call), func(v *db.View) error {
		for _, account := range []string{call.Caller.DomainID, call.customer} {
			if account == "" {
				continue
			}
			if _, err := c.homeOf(ctx, v, account); err != nil {
				return err
			}
			if _, err := c.Traces.Of(ctx, v, account); err != nil {
				return err
			}
		}
		return nil
	})
}

func traceable(call *Call) bool {
	return call.Operation != nil && call.Operation.Event.Name != "" && !call.DryRun
}

// record leaves the trace of a call in its transaction: with the caller's account, and with the customer's whose rows it changed.
func (c *Counter) record(ctx context.Context, tx *db.Tx, random io.Reader, call *Call, refused error) error {
	if !traceable(call) {
		return nil
	}
	l := c.line(call, refused)
	if other := call.customer; other != "" && other != l.Customer {
		l.ResourceAccount = other
		if refused == nil { // who was refused writes into nobody else's log
			theirs := *l
			theirs.Customer = other
			if err := c.leave(ctx, tx, random, &theirs, false); err != nil {
				return err
			}
		}
	}
	return c.leave(ctx, tx, random, l, call.always)
}

// leave keeps a line where its account records, and tells who wants to know. always: whether or not it records (any more).
func (c *Counter) leave(ctx context.Context, tx *db.Tx, random io.Reader, l *trace.Line, always bool) error {
	h, err := c.homeOf(ctx, tx, l.Customer)
	if err != nil || h.Project == "" {
		return err
	}
	if l.Project == "" {
		l.Project = h.Project
	}
	var setup *trace.Setup
	if l.Service == serviceCTS {
		setup, err = trace.Read(ctx, tx, l.Customer) // what this transaction itself has set up
	} else {
		setup, err = c.Traces.Of(ctx, tx, l.Customer)
	}
	if err != nil {
		return err
	}
	kept, carried := setup.Records(l.Project, l.Service)
	if !kept && !always {
		return nil
	}
	if err := trace.Record(ctx, tx, random, l, carried); err != nil {
		return err
	}
	for _, n := range setup.Wanted(l) {
		if err := outbox.Put(ctx, tx, random, &outbox.Message{Customer: l.Customer, Topic: traceTopic, Key: n.ID + "/" + l.ID, Body: keyEvent(n, l)}); err != nil {
			return err
		}
	}
	return nil
}

// Words of traces.
const (
	serviceCTS = "CTS"
	traceTopic = "trace.notification"
)

// keyEvent is the message of a notification.
func keyEvent(n *trace.Notice, l *trace.Line) string {
	var w jx.Writer
	w.RawStr(`{"topic":"` + traceTopic + `","customer_id":`)
	w.Str(l.Customer)
	w.RawStr(`,"notification_id":`)
	w.Str(n.ID)
	w.RawStr(`,"notification_name":`)
	w.Str(n.Name)
	w.RawStr(`,"topic_id":`)
	w.Str(n.Topic)
	w.RawStr(`,"trace":`)
	l.AppendJSON(&w)
	w.RawStr("}")
	return w.String()
}

// line is the trace of a call, done or refused.
func (c *Counter) line(call *Call, err error) *trace.Line {
	op, who := call.Operation, &call.Caller
	l := &trace.Line{
		Customer: who.DomainID, Project: call.traceProject, Kind: trace.ByAPI, Service: op.Service, ResourceType: op.Event.Type, Name: eventOf(op, call.Body),
		ResourceID: call.resourceID, ResourceName: call.resourceName, Enterprise: call.project, Rating: trace.Normal,
		Caller: who.UserID, CallerName: who.UserName, CallerAccount: who.DomainID, CallerDomain: who.DomainName, Root: who.Owner,
		AccessKey: who.AccessKey, SignedIn: who.Issued, Console: call.Console, Source: call.Source, RequestID: call.RequestID,
		Operation: op.ID, APIVersion: versionOf(call.Path), Endpoint: call.Host, URL: call.Path, ReadOnly: readOnly(op),
		Code: strconv.Itoa(max(op.Status, http.StatusOK)), Request: trace.Body(call.Body), Response: call.response,
	}
	if call.Console {
		l.Kind = trace.ByConsole
	}
	if call.event != nil {
		l.ResourceType, l.Name = call.event.Type, call.event.Name
	}
	if other := c.EventTypes[op.ID]; other != "" {
		l.ResourceType = other
	}
	var problem *contract.Problem
	if f, ok := fault.As(err); ok {
		l.Rating, l.Code, l.Message = trace.Warning, strconv.Itoa(f.Kind.Status()), strings.TrimPrefix(f.Code+": "+f.Message, ": ")
	} else if errors.As(err, &problem) {
		l.Rating, l.Code, l.Message = trace.Warning, strconv.Itoa(http.StatusBadRequest), problem.Error()
	} else if err != nil {
		l.Rating, l.Code, l.Message = trace.Incident, strconv.Itoa(http.StatusInternalServerError), "internal error"
	}
	if err != nil && op.Event.Failed != "" {
		l.Name = op.Event.Failed
	}
	return l
}

// eventOf is the name of an operation's event, which a member of the body may choose.
func eventOf(op *contract.Operation, body []byte) string {
	if op.Event.Field != "" {
		var members map[string]json.RawMessage
		if json.Unmarshal(body, &members) == nil {
			if name := op.Event.ByValue[string(bytes.Trim(members[op.Event.Field], `"`))]; name != "" {
				return name
			}
		}
	}
	return op.Event.Name
}

// versionOf is the version in a path: v2, v1.0 …
func versionOf(path string) string {
	for part := range strings.SplitSeq(path, "/") {
		if len(part) > 1 && part[0] == 'v' && part[1] >= '0' && part[1] <= '9' {
			return part
		}
	}
	return ""
}

// readOnly says whether an operation changes nothing; queries may be POSTs.
func readOnly(op *contract.Operation) bool {
	return op.Method == http.MethodGet || strings.HasPrefix(op.Event.Name, "query")
}

// systemLine is a line of what the house did by itself, to a customer.
func (c *Counter) systemLine(ctx context.Context, tx *db.Tx, customer, resourceType, name string, refused error) (*trace.Line, error) {
	h, err := c.homeOf(ctx, tx, customer)
	call := &Call{
		Operation: &contract.Operation{ID: "night shift", Service: "BSS", Event: contract.Event{Type: resourceType, Name: name}},
		Caller:    identity.Caller{DomainID: customer, DomainName: h.Account},
	}
	l := c.line(call, refused)
	l.Kind, l.Code = trace.BySystem, ""
	return l, err
}

// traceRead leaves the trace of a read that has an event: its line alone is written.
func (c *Counter) traceRead(ctx context.Context, call *Call) error {
	if !traceable(call) {
		return nil
	}
	if err := c.ready(ctx, call); err != nil {
		return err
	}
	return c.DB.Update(ctx, c.instants(call), func(tx *db.Tx) error { return c.record(ctx, tx, c.Random, call, nil) })
}

// Refused traces a call of an operation with an event that was refused after authentication, in a transaction of its
// own. A caller that has gone away is still traced.
func (c *Counter) Refused(ctx context.Context, call *Call, refused error) {
	if !traceable(call) || call.Caller.DomainID == "" || refused == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	err := c.ready(ctx, call)
	if err == nil {
		err = c.DB.Update(ctx, c.instants(call), func(tx *db.Tx) error { return c.record(ctx, tx, c.Random, call, refused) })
	}
	if err != nil {
		c.Log.Error("a refusal could not be traced", "operation", call.Operation.ID, "error", err)
	}
}

// inProject refuses a project that is not one of the caller's account, and says whether it is its home.
func (c *Counter) inProject(ctx context.Context, r db.Reader, account, project string) (region string, isHome bool, err error) {
	h, err := c.homeOf(ctx, r, account)
	if err != nil {
		return "", false, err
	}
	i := slices.IndexFunc(h.Projects, func(p identity.Project) bool { return p.ID == project })
	if i < 0 {
		return "", false, fault.New(fault.Forbidden, "CTS.0012", "The project in the path is not one of the caller's.")
	}
	return h.Projects[i].Name, project == h.Project, nil
}

// ListTraces finds traces of the caller's account.
func (c *Counter) ListTraces(ctx context.Context, call *Call, q trace.Query) (lines []trace.Line, err error) {
	err = older(ctx, c, call, &lines, func(v *db.View, scope identity.Scope) error {
		if _, q.Home, err = c.inProject(ctx, v, scope.Customer, q.Project); err != nil {
			return err
		}
		if !scope.AllProjects {
			q.Enterprises = append([]string{}, scope.Projects...)
		}
		lines, err = trace.List(ctx, v, scope.Customer, &q)
		return err
	})
	return lines, err
}

// TraceUsers lists who left a trace in the last 30 days.
func (c *Counter) TraceUsers(ctx context.Context, call *Call, project string) (names []string, err error) {
	err = older(ctx, c, call, &names, func(v *db.View, scope identity.Scope) error {
		_, isHome, err := c.inProject(ctx, v, scope.Customer, project)
		if err != nil {
			return err
		}
		names, err = trace.Users(ctx, v, scope.Customer, project, isHome)
		return err
	})
	return names, err
}

// TraceProject checks a project of the caller's, for operations that need nothing else of it.
func (c *Counter) TraceProject(ctx context.Context, call *Call, project string) error {
	return c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		_, _, err := c.inProject(ctx, v, scope.Customer, project)
		return err
	})
}

// TraceDomain checks that an account in a path is the caller's.
func (c *Counter) TraceDomain(ctx context.Context, call *Call, domain string) error {
	return c.read(ctx, call, func(_ *db.View, scope identity.Scope) error { return ownDomain(scope, domain) })
}

func ownDomain(scope identity.Scope, domain string) error {
	if domain != scope.Customer {
		return fault.New(fault.Forbidden, "CTS.0002", "The account in the path is not the caller's.")
	}
	return nil
}

// Reported are events of a resource type that a service reports.
type Reported struct {
	Service, ResourceType string
	Names                 []string
}

// systemEvents are those that no operation of a contract has.
var systemEvents = []Reported{
	{"BSS", cloudResource, []string{"renewResource", "expireResource", "freezeResource", "unfreezeResource", "deleteResource", "changeBillingMode"}},
	{"BSS", "order", []string{"lapseOrder"}},
	{"BSS", "balance", []string{changeBalanceAlert}},
}

// Report says that an operation may leave a trace: called for each operation that is served, before anything else.
func (c *Counter) Report(op *contract.Operation) {
	if op.Event.Name == "" {
		return
	}
	kind := op.Event.Type
	if other := c.EventTypes[op.ID]; other != "" {
		kind = other
	}
	c.report(op.Service, kind, op.Event.Name)
	if op.Event.Failed != "" {
		c.report(op.Service, kind, op.Event.Failed)
	}
	for _, name := range op.Event.ByValue {
		c.report(op.Service, kind, name)
	}
}

func (c *Counter) report(service, kind, name string) {
	i := slices.IndexFunc(c.events, func(r Reported) bool { return r.Service == service && r.ResourceType == kind })
	if i < 0 {
		c.events, i = append(c.events, Reported{Service: service, ResourceType: kind}), len(c.events)
	}
	if !slices.Contains(c.events[i].Names, name) {
		c.events[i].Names = append(c.events[i].Names, name)
		slices.Sort(c.events[i].Names)
	}
}

// reported lists every event, by service and resource type.
func (c *Counter) reported() []Reported {
	all := Counter{events: slices.Clone(c.events)}
	for i := range all.events {
		all.events[i].Names = slices.Clone(all.events[i].Names)
	}
	for _, r := range systemEvents {
		for _, name := range r.Names {
			all.report(r.Service, r.ResourceType, name)
		}
	}
	slices.SortFunc(all.events, func(a, b Reported) int {
		return strings.Compare(a.Service+"\x00"+a.ResourceType, b.Service+"\x00"+b.ResourceType)
	})
	return all.events
}

// TraceEvents lists the events that services report: all, of one service, or of one of its resource types.
func (c *Counter) TraceEvents(ctx context.Context, call *Call, project, service, resourceType string) (out []Reported, err error) {
	if err := c.TraceProject(ctx, call, project); err != nil {
		return nil, err
	}
	if resourceType != "" && service == "" {
		return nil, fault.New(fault.Invalid, "CTS.0003", "resource_type comes with its service_type")
	}
	for _, r := range c.reported() {
		if (service == "" || r.Service == service) && (resourceType == "" || r.ResourceType == resourceType) {
			out = append(out, r)
		}
	}
	return out, nil
}

// TraceTypes lists the resource types that services report.
func (c *Counter) TraceTypes(ctx context.Context, call *Call, domain string) ([]Reported, error) {
	return c.reported(), c.TraceDomain(ctx, call, domain)
}

// changeBalanceAlert is the event of a change that only sets when to tell of a low balance.
const changeBalanceAlert = "changeBalanceAlert"
