package operation

import (
	"context"
	"strings"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/trace"
)

// writeTracker runs a change of trackers or notifications of a project: its trace lies there.
func writeTracker[A any](ctx context.Context, c *Counter, call *Call, project string, deed func(tx *db.Tx, scope identity.Scope, region string) (A, error)) (A, error) {
	call.traceProject = project
	out, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (out A, err error) {
		region, _, err := c.inProject(ctx, tx, scope.Customer, project)
		if err != nil {
			call.traceProject = "" // somebody else's: what is left lies at home
			return out, err
		}
		return deed(tx, scope, region)
	})
	c.Traces.Changed()
	return out, err
}

// reachable says whether files can be written at all: nothing was set up for them, or it does not answer.
func (c *Counter) reachable(bucket *string) error {
	if bucket == nil || *bucket == "" || c.Objects != nil {
		return nil
	}
	return fault.New(fault.Invalid, "CTS.0001", "A service needed for this cannot be reached: this house has no place for trace files (serve --trace-store).")
}

// CreateTracker adds a tracker: a management tracker switches traces on.
func (c *Counter) CreateTracker(ctx context.Context, call *Call, project string, change *trace.Change) (trace.Tracker, error) {
	call.About("", change.Name)
	return writeTracker(ctx, c, call, project, func(tx *db.Tx, scope identity.Scope, region string) (trace.Tracker, error) {
		t, err := trace.Create(ctx, tx, c.Random, scope.Customer, project, region, change, c.reachable(change.Bucket))
		call.About(t.ID, change.Name)
		return t, err
	})
}

// UpdateTracker changes a tracker.
func (c *Counter) UpdateTracker(ctx context.Context, call *Call, project string, change *trace.Change) error {
	call.About("", change.Name)
	_, err := writeTracker(ctx, c, call, project, func(tx *db.Tx, scope identity.Scope, _ string) (struct{}, error) {
		var err error
		if call.always, err = c.records(ctx, tx, scope.Customer, project); err != nil { // that it is switched off is still recorded
			return struct{}{}, err
		}
		t, err := trace.Update(ctx, tx, scope.Customer, project, change, c.reachable(change.Bucket))
		call.About(t.ID, change.Name)
		return struct{}{}, err
	})
	return err
}

func (c *Counter) records(ctx context.Context, r db.Reader, customer, project string) (bool, error) {
	setup, err := trace.Read(ctx, r, customer)
	if err != nil {
		return false, err
	}
	kept, _ := setup.Records(project, serviceCTS)
	return kept, nil
}

// DeleteTracker removes trackers; see trace.Delete.
func (c *Counter) DeleteTracker(ctx context.Context, call *Call, project, kind, name string) error {
	call.About("", name)
	_, err := writeTracker(ctx, c, call, project, func(tx *db.Tx, scope identity.Scope, _ string) (struct{}, error) {
		var err error
		if call.always, err = c.records(ctx, tx, scope.Customer, project); err != nil {
			return struct{}{}, err
		}
		gone, err := trace.Delete(ctx, tx, scope.Customer, project, kind, name)
		if len(gone) == 1 {
			call.About(gone[0].ID, gone[0].Name)
		}
		return struct{}{}, err
	})
	return err
}

// Trackers lists trackers of a project.
func (c *Counter) Trackers(ctx context.Context, call *Call, project, kind, name string) (list []trace.Tracker, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if _, _, err := c.inProject(ctx, v, scope.Customer, project); err != nil {
			return err
		}
		list, err = trace.Trackers(ctx, v, scope.Customer, project, kind, name)
		return err
	})
	return list, err
}

// TagTracker changes the tags of a tracker.
func (c *Counter) TagTracker(ctx context.Context, call *Call, project, id string, tags []trace.Tag, valued func(int) bool, off bool) error {
	call.About(id, "")
	_, err := writeTracker(ctx, c, call, project, func(tx *db.Tx, scope identity.Scope, _ string) (struct{}, error) {
		return struct{}{}, trace.Tagged(ctx, tx, scope.Customer, project, id, tags, valued, off)
	})
	return err
}

// CheckedBucket is whether files could be written to a bucket.
type CheckedBucket struct {
	Name string
	Why  *fault.Fault // why not
}

// CheckBuckets says for each bucket whether files could be written to it.
func (c *Counter) CheckBuckets(ctx context.Context, call *Call, domain string, names []string) (out []CheckedBucket, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := ownDomain(scope, domain); err != nil {
			return err
		}
		for _, name := range names {
			if err := trace.CheckBucket(name); err != nil {
				return err
			}
			one := CheckedBucket{Name: name}
			mine, err := trace.MayUse(ctx, v, scope.Customer, name)
			if err != nil {
				return err
			}
			if !mine {
				one.Why = fault.New(fault.Forbidden, "CTS.0231", "The bucket %s belongs to somebody else.", name)
			} else if why, ok := fault.As(c.reachable(&name)); ok {
				one.Why = why
			}
			out = append(out, one)
		}
		return nil
	})
	return out, err
}

// CreateNotification adds a notification of key events.
func (c *Counter) CreateNotification(ctx context.Context, call *Call, n trace.Notice) (trace.Notice, error) {
	call.About("", n.Name)
	return writeTracker(ctx, c, call, n.Project, func(tx *db.Tx, scope identity.Scope, _ string) (trace.Notice, error) {
		n.Customer = scope.Customer
		err := trace.AddNotice(ctx, tx, c.Random, &n)
		call.About(n.ID, n.Name)
		return n, err
	})
}

// UpdateNotification replaces a notification.
func (c *Counter) UpdateNotification(ctx context.Context, call *Call, n trace.Notice) (trace.Notice, error) {
	call.About(n.ID, n.Name)
	return writeTracker(ctx, c, call, n.Project, func(tx *db.Tx, scope identity.Scope, _ string) (trace.Notice, error) {
		n.Customer = scope.Customer
		return n, trace.ReplaceNotice(ctx, tx, &n)
	})
}

// DeleteNotifications removes notifications, all that are named or none.
func (c *Counter) DeleteNotifications(ctx context.Context, call *Call, project string, ids []string) error {
	call.About(strings.Join(ids, ","), "")
	_, err := writeTracker(ctx, c, call, project, func(tx *db.Tx, scope identity.Scope, _ string) (struct{}, error) {
		return struct{}{}, trace.DropNotices(ctx, tx, scope.Customer, project, ids)
	})
	return err
}

// Notifications lists notifications of a project.
func (c *Counter) Notifications(ctx context.Context, call *Call, project string, functions bool, name string) (list []trace.Notice, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if _, _, err := c.inProject(ctx, v, scope.Customer, project); err != nil {
			return err
		}
		list, err = trace.Notices(ctx, v, scope.Customer, project, functions, name)
		return err
	})
	return list, err
}
