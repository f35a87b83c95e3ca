package operation

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/outbox"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/project"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/usage"
)

// ProjectNames are the names of a customer's enterprise projects by id.
type ProjectNames map[string]string

// Of is a project's name; of one that nobody made, as a cloud may report it, its id.
func (n ProjectNames) Of(id string) string { return cmp.Or(n[id], id) }

func projectNames(ctx context.Context, r db.Reader, customer string) (ProjectNames, error) {
	return project.Names(ctx, r, customer)
}

// errForeignProject is what an order or a gift says of a project that the customer has not, or the caller does not see.
func errForeignProject(id string) error {
	return fault.New(fault.Invalid, "CBC.99006073", "enterprise_project_id: the account has no enterprise project %q", id)
}

// takes says into which project something new of a customer goes: the one that is named, else the default one. CBC.99006073:
// there is no such project, or the caller does not see it; CBC.0100: it is disabled, or none is named by who may not use
// the default one.
func takes(ctx context.Context, r db.Reader, scope identity.Scope, customer, named string) (string, error) {
	id := cmp.Or(named, project.Default)
	if !scope.Sees(id) {
		if named == "" {
			return "", fault.New(fault.Invalid, "CBC.0100", "enterprise_project_id: name one of the enterprise projects that you may use")
		}
		return "", errForeignProject(id)
	}
	_, err := project.Takes(ctx, r, customer, id)
	switch {
	case fault.Is(err, "EPS.0005"):
		return "", errForeignProject(id)
	case fault.Is(err, "EPS.0034"):
		return "", fault.New(fault.Invalid, "CBC.0100", "enterprise_project_id: enterprise project %s is disabled", id)
	}
	return id, err
}

// OpenProjects opens enterprise projects to the caller's account; a second call changes nothing. CBC.99007004: only verified
// enterprises (fail_check_items).
func (c *Counter) OpenProjects(ctx context.Context, call *Call) error {
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (struct{}, error) {
		who, err := account.Find(ctx, tx, scope.Customer)
		if err != nil && !fault.Is(err, "PURSER.0104") {
			return struct{}{}, err
		}
		if err != nil || who.Kind != account.Enterprise || !who.Verified {
			refusal := fault.New(fault.Invalid, "CBC.99007004", "enterprise projects are for verified enterprises")
			refusal.Detail = map[string]any{"fail_check_items": []string{"SELF_OPEN_ONLY_FOR_ENT_AND_INTR_CUST"}}
			return struct{}{}, refusal
		}
		if who.Standing != account.Active {
			return struct{}{}, fault.New(fault.Forbidden, "CBC.0155", "the account is %s", who.Standing)
		}
		_, err = project.Open(ctx, tx, scope.Customer)
		return struct{}{}, err
	})
	return err
}

// since dates an account's default project: when its books were opened; accounts without books have had it always.
func since(ctx context.Context, r db.Reader, customer string) (time.Time, error) {
	who, err := account.Find(ctx, r, customer)
	if fault.Is(err, "PURSER.0104") {
		return time.Unix(0, 0), nil
	}
	return who.Opened, err
}

// ListProjects pages through the enterprise projects of the caller's account that it sees.
func (c *Counter) ListProjects(ctx context.Context, call *Call, q project.Query, offset, limit int) (total int, page []project.Project, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		at, err := since(ctx, v, scope.Customer)
		if err != nil {
			return err
		}
		q.Within = scope.Within()
		total, page, err = project.List(ctx, v, scope.Customer, &q, at, offset, limit)
		return err
	})
	return total, page, err
}

// seesProject finds a project of the caller's account that it sees; another one is not there.
func seesProject(ctx context.Context, r db.Reader, scope identity.Scope, id string) (project.Project, error) {
	at, err := since(ctx, r, scope.Customer)
	if err != nil {
		return project.Project{}, err
	}
	if !scope.Sees(id) {
		return project.Project{}, project.Unknown(id)
	}
	return project.Find(ctx, r, scope.Customer, id, at)
}

// ShowProject reads an enterprise project.
func (c *Counter) ShowProject(ctx context.Context, call *Call, id string) (p project.Project, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		p, err = seesProject(ctx, v, scope, id)
		return err
	})
	return p, err
}

// CreateProject makes an enterprise project; see project.Add for the faults.
func (c *Counter) CreateProject(ctx context.Context, call *Call, p project.Project) (project.Project, error) {
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (project.Project, error) {
		made := p
		made.Customer = scope.Customer
		err := project.Add(ctx, tx, c.Random, &c.EP, &made)
		call.About(made.ID, made.Name)
		return made, err
	})
}

// ChangeProject renames and describes an enterprise project.
func (c *Counter) ChangeProject(ctx context.Context, call *Call, id, name string, description *string, kind string) (project.Project, error) {
	call.About(id, name)
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (project.Project, error) {
		if !scope.Sees(id) {
			return project.Project{}, project.Unknown(id)
		}
		return project.Change(ctx, tx, scope.Customer, id, name, description, kind)
	})
}

// SwitchProject enables or disables an enterprise project. EPS.0037: it has unfinished orders.
func (c *Counter) SwitchProject(ctx context.Context, call *Call, id string, on bool) error {
	action := "eps:enterpriseProjects:disable"
	if on {
		action = "eps:enterpriseProjects:enable"
	}
	narrowed := *call.Operation // the one of the two that is asked for
	narrowed.Role, narrowed.Identity = []string{action}, []string{action}
	call.Operation = &narrowed
	call.About(id, "")
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (struct{}, error) {
		if id != project.Default && !scope.Sees(id) {
			return struct{}{}, project.Unknown(id)
		}
		if !on && id != project.Default {
			n, err := order.Unfinished(ctx, tx, scope.Customer, id)
			if err == nil && n > 0 {
				err = fault.New(fault.Invalid, "EPS.0037", "enterprise project %s has %d unfinished orders", id, n)
			}
			if err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, project.Switch(ctx, tx, scope.Customer, id, on)
	})
	return err
}

// DeleteProject deletes an enterprise project that holds nothing, where that is allowed, with its budget and what was granted
// in it.
func (c *Counter) DeleteProject(ctx context.Context, call *Call, id string) error {
	call.About(id, "")
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (struct{}, error) {
		if c.EP.Deletable && id != project.Default && !scope.Sees(id) {
			return struct{}{}, project.Unknown(id)
		}
		if err := project.Deletable(ctx, tx, &c.EP, scope.Customer, id); err != nil {
			return struct{}{}, err
		}
		resources, _, err := subscription.List(ctx, tx, scope.Customer, &subscription.Query{Open: true, Within: []string{id}}, 0, 1)
		if err != nil {
			return struct{}{}, err
		}
		metered, _, err := usage.Resources(ctx, tx, scope.Customer, &usage.ResourceQuery{Open: true, Within: []string{id}}, 0, 1)
		if err != nil {
			return struct{}{}, err
		}
		orders, err := order.Unfinished(ctx, tx, scope.Customer, id)
		if err != nil {
			return struct{}{}, err
		}
		if resources+metered+orders > 0 {
			return struct{}{}, fault.New(fault.Invalid, "EPS.0002", "enterprise project %s still holds %d resources and %d unfinished orders", id, resources+metered, orders)
		}
		if err := project.Delete(ctx, tx, scope.Customer, id); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, c.Identity.DropGrantsOf(ctx, tx, scope.Customer, id)
	})
	c.Identity.Changed()
	return err
}

// ProjectQuota is how many enterprise projects the caller's account may have, and has.
func (c *Counter) ProjectQuota(ctx context.Context, call *Call) (most, used int, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		used, err = project.Used(ctx, v, scope.Customer)
		return err
	})
	return c.EP.Most, used, err
}

// Held is a resource that belongs to an enterprise project.
type Held struct {
	ID, Name, Type, Region string
	CloudProject           string
	Project                string
}

// NotLookedUp is what a search for resources left out, and why.
type NotLookedUp struct{ Type, CloudProject, Why string }

// HeldPage is a page of resources.
type HeldPage struct {
	Total   int
	List    []Held
	Omitted []NotLookedUp
}

// FindResources pages through the resources of an enterprise project: yearly/monthly ones, newest first, then pay-per-use
// ones by id. types are short names; in cloud projects of the caller's account, or in all when none is named.
func (c *Counter) FindResources(ctx context.Context, call *Call, id string, types, cloudProjects []string, name string, offset, limit int) (out HeldPage, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if _, err := seesProject(ctx, v, scope, id); err != nil {
			return err
		}
		shelf, err := c.Catalogue.At(ctx, v)
		if err != nil {
			return err
		}
		codes := typeCodes(shelf, types, &out)
		places, regions, err := c.places(ctx, v, scope.Customer, cloudProjects, &out)
		if err != nil || len(codes) == 0 || regions != nil && len(regions) == 0 {
			return err
		}
		termed, list, err := subscription.List(ctx, v, scope.Customer, &subscription.Query{Open: true, Types: codes, Regions: regions, Name: name, Within: []string{id}}, offset, limit)
		if err != nil {
			return err
		}
		for i := range list {
			r := &list[i]
			out.List = append(out.List, Held{r.ID, r.Name, r.ResourceType, r.Region, cmp.Or(r.CloudProject, places[r.Region]), r.Project})
		}
		metered, more, err := usage.Resources(ctx, v, scope.Customer, &usage.ResourceQuery{Open: true, Types: codes, Regions: regions, Name: name, Within: []string{id}},
			max(offset-termed, 0), limit-len(list))
		for i := range more {
			r := &more[i]
			out.List = append(out.List, Held{r.ID, r.Name, r.ResourceType, r.Region, places[r.Region], r.Project})
		}
		out.Total = termed + metered
		return err
	})
	return out, err
}

// typeCodes are the catalogue's codes of short names; those that nothing has are left out and named.
func typeCodes(shelf *catalog.Snapshot, types []string, out *HeldPage) (codes []string) {
	_, all := shelf.ResourceTypes(catalog.Page{Limit: 1 << 20})
	for _, name := range types {
		before := len(codes)
		for i := range all {
			if project.ShortType(all[i].Code) == name || all[i].Code == name {
				codes = append(codes, all[i].Code)
			}
		}
		if len(codes) == before {
			out.Omitted = append(out.Omitted, NotLookedUp{Type: name, Why: "there is no such resource type"})
		}
	}
	return codes
}

// places are the account's cloud projects by region, and the regions of those that are named; nil: all.
func (c *Counter) places(ctx context.Context, r db.Reader, customer string, named []string, out *HeldPage) (byRegion map[string]string, regions []string, err error) {
	list, err := identity.Projects(ctx, r, customer)
	if err != nil {
		return nil, nil, err
	}
	byRegion = map[string]string{}
	for _, p := range list {
		byRegion[p.Name] = p.ID
	}
	if len(named) == 0 {
		return byRegion, nil, nil
	}
	regions = []string{}
	for _, id := range named {
		k := slices.IndexFunc(list, func(p identity.Project) bool { return p.ID == id })
		if k < 0 {
			out.Omitted = append(out.Omitted, NotLookedUp{CloudProject: id, Why: "the account has no such project"})
			continue
		}
		regions = append(regions, list[k].Name)
	}
	return byRegion, regions, nil
}

// Moving is a resource that is to go into another enterprise project.
type Moving struct {
	Resource, Type       string // the type's short name
	CloudProject, Region string // empty: not said
	Associated           bool   // what goes with it moves too
}

// tied is a resource and what is tied to it: of yearly/monthly ones what is attached (and goes wherever it goes), and other
// primary ones that were bought to go with it, with theirs.
type tied struct {
	termed  []subscription.Resource // the first is the one asked about, then what is attached to it
	related []subscription.Resource
	metered *usage.Resource // a pay-per-use one instead
	held    Held
}

func errNoResource(id string) error {
	return fault.New(fault.NotFound, "EPS.0005", "the account has no resource %s of that type there", id)
}

// tiedTo finds a resource of the caller's account that it sees, of the type and in the place that are said.
func (c *Counter) tiedTo(ctx context.Context, r db.Reader, scope identity.Scope, m *Moving) (out tied, err error) {
	unknown := errNoResource(m.Resource)
	one, err := c.orders(scope).Resource(ctx, r, scope.Customer, m.Resource)
	switch {
	case err == nil && one.Status != subscription.Closed:
		out.held = Held{one.ID, one.Name, one.ResourceType, one.Region, one.CloudProject, one.Project}
	case err == nil || fault.Is(err, "CBC.99003012"):
		metered, err := usage.FindResource(ctx, r, scope.Customer, m.Resource)
		if fault.Is(err, "PURSER.1110") || err == nil && (metered.Status == usage.Deleted || !scope.Sees(metered.Project)) {
			return out, unknown
		}
		if err != nil {
			return out, err
		}
		out.metered, out.held = &metered, Held{ID: metered.ID, Name: metered.Name, Type: metered.ResourceType, Region: metered.Region, Project: metered.Project}
	default:
		return out, err
	}
	places, _, err := c.places(ctx, r, scope.Customer, nil, nil)
	if err != nil {
		return out, err
	}
	if out.held.CloudProject == "" {
		out.held.CloudProject = places[out.held.Region]
	}
	if project.ShortType(out.held.Type) != m.Type && out.held.Type != m.Type || m.Region != "" && m.Region != out.held.Region ||
		m.CloudProject != "" && m.CloudProject != out.held.CloudProject {
		return out, unknown
	}
	if out.metered != nil {
		return out, nil
	}
	if out.termed, err = open(subscription.WithAttached(ctx, r, &one)); err != nil {
		return out, err
	}
	related, err := open(subscription.Related(ctx, r, &one))
	for i := range related {
		if err == nil && scope.Sees(related[i].Project) {
			var all []subscription.Resource
			all, err = open(subscription.WithAttached(ctx, r, &related[i]))
			out.related = append(out.related, all...)
		}
	}
	return out, err
}

// open leaves out resources that are closed.
func open(list []subscription.Resource, err error) ([]subscription.Resource, error) {
	return slices.DeleteFunc(list, func(r subscription.Resource) bool { return r.Status == subscription.Closed }), err
}

// MoveResource moves a resource into an enterprise project, with what is attached to it, and when asked with what was bought
// to go with it. What was charged before stays where it was; later charges go to the new project. Moving to where it is
// changes nothing. Faults, in this order: EPS.0005 no such project, EPS.0034 it is disabled, EPS.0005 no such resource,
// EPS.0002 attached to another one, or an order is at work on it.
func (c *Counter) MoveResource(ctx context.Context, call *Call, target string, m Moving) error {
	call.About(m.Resource, "")
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (struct{}, error) {
		if !scope.Sees(target) {
			return struct{}{}, project.Unknown(target)
		}
		if _, err := project.Takes(ctx, tx, scope.Customer, target); err != nil {
			return struct{}{}, err
		}
		found, err := c.tiedTo(ctx, tx, scope, &m)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, c.shift(ctx, tx, call, &found, target, &m)
	})
	if c.Usage != nil {
		c.Usage.Moved()
	}
	c.told()
	return err
}

// shift moves what was found.
func (c *Counter) shift(ctx context.Context, tx *db.Tx, call *Call, found *tied, target string, m *Moving) error {
	names, err := projectNames(ctx, tx, call.Caller.DomainID)
	if err != nil {
		return err
	}
	keep := func(id, name, kind, region, cloud, from string) error {
		move := project.Move{
			Customer: call.Caller.DomainID, Resource: id, Name: name, Type: project.ShortType(kind), Region: region, CloudProject: cloud,
			Origin: from, OriginName: names.Of(from), Target: target, TargetName: names.Of(target), Associated: m.Associated, User: call.Caller.UserName,
		}
		if err := project.Keep(ctx, tx, c.Random, &move); err != nil {
			return err
		}
		return c.tellMove(ctx, tx, &move)
	}
	if r := found.metered; r != nil {
		from := r.Project
		if from == target {
			return nil
		}
		if err := usage.Place(ctx, tx, r, target); err != nil {
			return err
		}
		return keep(r.ID, r.Name, r.ResourceType, r.Region, found.held.CloudProject, from)
	}
	if parent := found.termed[0].Parent; parent != "" {
		return fault.New(fault.Invalid, "EPS.0002", "resource %s is attached to another one: move that", m.Resource)
	}
	list := found.termed
	if m.Associated {
		list = append(slices.Clone(list), found.related...)
	}
	for i := range list {
		if by := list[i].BusyWith; by != "" {
			return fault.New(fault.Invalid, "EPS.0002", "resource %s is in an unfinished order", list[i].ID)
		}
	}
	for i := range list {
		r := &list[i]
		from := r.Project
		if from == target {
			continue
		}
		if err := subscription.Place(ctx, tx, r, target); err != nil {
			return err
		}
		if err := keep(r.ID, r.Name, r.ResourceType, r.Region, cmp.Or(r.CloudProject, found.held.CloudProject), from); err != nil {
			return err
		}
	}
	return nil
}

// tellMove tells the cloud where a resource belongs now.
func (c *Counter) tellMove(ctx context.Context, tx *db.Tx, m *project.Move) error {
	body, err := json.Marshal(map[string]any{
		"customer_id": m.Customer, "resource_id": m.Resource, "resource_type": m.Type, "region": m.Region, "project_id": m.CloudProject,
		"origin_enterprise_project_id": m.Origin, "enterprise_project_id": m.Target, "time": m.At.UTC().Format(time.RFC3339),
	})
	if err != nil {
		return err
	}
	return outbox.Put(ctx, tx, c.Random, &outbox.Message{Customer: m.Customer, Topic: "resource.moved", Key: m.ID, Body: string(body)})
}

// TiedResources lists what would move along with a resource: what is attached to it, and what was bought to go with it.
func (c *Counter) TiedResources(ctx context.Context, call *Call, m Moving) (one Held, with []Held, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		found, err := c.tiedTo(ctx, v, scope, &m)
		if err != nil {
			return err
		}
		one = found.held
		for _, list := range [][]subscription.Resource{found.termed, found.related} {
			for i := range list {
				if r := &list[i]; r.ID != one.ID {
					with = append(with, Held{r.ID, r.Name, r.ResourceType, r.Region, r.CloudProject, r.Project})
				}
			}
		}
		return nil
	})
	return one, with, err
}

// Moves pages through what was moved between enterprise projects that the caller sees, newest first.
func (c *Counter) Moves(ctx context.Context, call *Call, q project.MoveQuery, offset, limit int) (list []project.Move, regions map[string]string, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		q.Within = scope.Within()
		if list, err = project.Moves(ctx, v, scope.Customer, &q, offset, limit); err != nil {
			return err
		}
		projects, err := identity.Projects(ctx, v, scope.Customer)
		regions = map[string]string{}
		for _, p := range projects {
			regions[p.ID] = p.Name
		}
		return err
	})
	return list, regions, err
}

// Grants lists what users and groups of the caller's account may do in single enterprise projects; the operator names an
// account.
func (c *Counter) Grants(ctx context.Context, call *Call, customer, id string) (list []identity.Grant, names ProjectNames, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		domain, err := c.personnelOf(ctx, v, scope, customer)
		if err != nil {
			return err
		}
		if list, err = identity.Grants(ctx, v, domain, id); err != nil {
			return err
		}
		names, err = projectNames(ctx, v, domain)
		return err
	})
	return list, names, err
}

// personnelOf is the account whose people are meant: the caller's own, or for the operator the one that is named.
func (c *Counter) personnelOf(ctx context.Context, r db.Reader, scope identity.Scope, named string) (string, error) {
	if named == "" || named == scope.Customer {
		return scope.Customer, nil
	}
	if !scope.Operator {
		return "", fault.New(fault.Forbidden, "CBC.0151", "access denied: customer_id is another's")
	}
	d, err := identity.FindDomain(ctx, r, named)
	return d.ID, err
}

// Grant lets a user or a group do actions in one enterprise project; without actions what was granted there is taken back.
func (c *Counter) Grant(ctx context.Context, call *Call, customer string, g identity.Grant) (identity.Grant, error) {
	call.About(g.Project, cmp.Or(g.User, g.Group))
	out, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (identity.Grant, error) {
		domain, err := c.personnelOf(ctx, tx, scope, customer)
		if err != nil {
			return g, err
		}
		if _, err := project.Find(ctx, tx, domain, g.Project, time.Time{}); err != nil {
			if fault.Is(err, "EPS.0005") {
				err = errForeignProject(g.Project)
			}
			return g, err
		}
		if len(g.Actions) == 0 {
			return g, c.Identity.DropGrant(ctx, tx, domain, &g)
		}
		return g, c.Identity.SetGrant(ctx, tx, domain, &g)
	})
	c.Identity.Changed()
	return out, err
}

// Groups lists the groups of the caller's account, or of the one that the operator names.
func (c *Counter) Groups(ctx context.Context, call *Call, customer string) (list []identity.Group, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		domain, err := c.personnelOf(ctx, v, scope, customer)
		if err != nil {
			return err
		}
		list, err = identity.Groups(ctx, v, domain)
		return err
	})
	return list, err
}

// SetGroup makes a group of users, or changes whom it holds; nil users: it is forgotten, with what it was granted.
func (c *Counter) SetGroup(ctx context.Context, call *Call, customer, name string, users []string) (identity.Group, error) {
	call.About("", name)
	out, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (identity.Group, error) {
		domain, err := c.personnelOf(ctx, tx, scope, customer)
		if err != nil {
			return identity.Group{}, err
		}
		if users == nil {
			return identity.Group{Name: name}, c.Identity.DropGroup(ctx, tx, domain, name)
		}
		return c.Identity.SetGroup(ctx, tx, domain, strings.TrimSpace(name), users)
	})
	c.Identity.Changed()
	return out, err
}

// BudgetList are budgets of enterprise projects with what the running bill cycle has cost.
type BudgetList struct {
	Cycle period.Cycle
	List  []project.Spending
	Names ProjectNames
}

// Budgets lists the budgets of a customer's enterprise projects that the caller sees.
func (c *Counter) Budgets(ctx context.Context, call *Call, customer string) (out BudgetList, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if customer, err = budgetsOf(ctx, v, scope, customer); err != nil {
			return err
		}
		out.Cycle = period.CycleOf(v.Now)
		if out.List, err = project.Spendings(ctx, v, customer, out.Cycle); err != nil {
			return err
		}
		out.List = slices.DeleteFunc(out.List, func(s project.Spending) bool { return !scope.Sees(s.Project) })
		out.Names, err = projectNames(ctx, v, customer)
		return err
	})
	return out, err
}

// budgetsOf is whose budgets are meant: the caller's own, or for the operator those of the customer that is named.
func budgetsOf(ctx context.Context, r db.Reader, scope identity.Scope, named string) (string, error) {
	if named == "" || named == scope.Customer {
		return scope.Customer, nil
	}
	if !scope.Operator {
		return "", fault.New(fault.Forbidden, "CBC.0151", "access denied: customer_id is another's")
	}
	who, err := account.Find(ctx, r, named)
	return who.ID, err
}

// BudgetSet is a budget as it is kept.
type BudgetSet struct {
	project.Spending
	Names ProjectNames
}

// SetBudget sets what an enterprise project's month should not pass and may not.
func (c *Counter) SetBudget(ctx context.Context, call *Call, customer string, b project.Budget) (BudgetSet, error) {
	call.About(b.Project, "")
	call, err := c.dateBy(ctx, call, cmp.Or(customer, call.Caller.DomainID))
	if err != nil {
		return BudgetSet{}, err
	}
	out, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (s BudgetSet, err error) {
		budget := b
		if budget.Customer, err = budgetsOf(ctx, tx, scope, customer); err != nil {
			return s, err
		}
		if err := inWhole(&budget); err != nil {
			return s, err
		}
		if _, err := project.Find(ctx, tx, budget.Customer, b.Project, time.Time{}); err != nil {
			if fault.Is(err, "EPS.0005") {
				err = errForeignProject(b.Project)
			}
			return s, err
		}
		spent, err := charge.SpentIn(ctx, tx, budget.Customer, b.Project, period.CycleOf(tx.Now))
		if err != nil {
			return s, err
		}
		var alert *project.Alert
		if s.Spending, alert, err = project.SetBudget(ctx, tx, &budget, spent); err != nil {
			return s, err
		}
		if alert != nil {
			if err := charge.TellBudget(ctx, tx, alert); err != nil {
				return s, err
			}
		}
		s.Names, err = projectNames(ctx, tx, budget.Customer)
		return s, err
	})
	c.told()
	return out, err
}

// inWhole refuses a budget in fractions of the minor unit.
func inWhole(b *project.Budget) error {
	for _, amount := range []money.Amount{b.Amount, b.Quota} {
		if amount >= 0 && money.CutMinor(amount, currency) != amount {
			return fault.New(fault.Invalid, "CBC.0100", "budget, quota: at most %d decimals", currency.Minor())
		}
	}
	return nil
}

// DropBudget takes an enterprise project's budget away. PURSER.0117: it has none.
func (c *Counter) DropBudget(ctx context.Context, call *Call, customer, id string) error {
	call.About(id, "")
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (struct{}, error) {
		whose, err := budgetsOf(ctx, tx, scope, customer)
		if err != nil {
			return struct{}{}, err
		}
		had, err := project.DropBudget(ctx, tx, whose, id)
		if err == nil && !had {
			err = fault.New(fault.NotFound, "PURSER.0117", "enterprise project %s has no budget", id)
		}
		return struct{}{}, err
	})
	return err
}

// ProjectsDeletable says whether enterprise projects can be deleted here.
func (c *Counter) ProjectsDeletable(_ context.Context, call *Call) (bool, error) {
	_, err := c.authorise(call)
	return c.EP.Deletable, err
}
