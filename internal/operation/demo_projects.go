package operation

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/project"
	"github.com/purser-cloud/purser/internal/subscription"
)

// DemoStaff is a user of a demo account who may act in one enterprise project only.
type DemoStaff struct {
	User     string
	Password identity.Secret
	Key      identity.Key
	Project  string // enterprise project
}

// demoStaffName is the user's name; its project is the first of demoProjectNames.
const demoStaffName = "erin"

var demoProjectNames = []string{"webshop", "research"}

// demoProjects gives the first customer, once, two enterprise projects with a server in each, one of which goes on by use after its
// expiry and one, moved there, is not renewed, a budget for one, and what a user may do there; each time it gives the user a new password and a new key.
func (c *Counter) demoProjects(ctx context.Context, s *shopper, m order.Means, fresh bool) error {
	if fresh {
		if err := c.demoProjectsOnce(ctx, s, m); err != nil {
			return err
		}
	}
	_, page, err := c.ListProjects(ctx, s.ago(0, "ListEnterpriseProject", ""), project.Query{Name: demoProjectNames[0]}, 0, 1)
	if err != nil || len(page) == 0 {
		return err
	}
	staff := &DemoStaff{User: demoStaffName, Project: page[0].ID}
	if staff.Password, err = c.Identity.NewPassword(); err != nil {
		return err
	}
	hash, err := c.Identity.HashPassword(ctx, staff.Password)
	if err != nil {
		return err
	}
	domain := s.account.Domain.ID
	err = c.DB.Update(ctx, db.Instants{Now: s.now, Real: s.now}, func(tx *db.Tx) error {
		u, err := identity.FindUserByName(ctx, tx, domain, demoStaffName)
		switch {
		case fault.Is(err, "IAM.0004"):
			u = identity.User{DomainID: domain, DomainName: s.account.Domain.Name, Name: demoStaffName, Description: "may act in the project " + demoProjectNames[0] + " only"}
			err = c.Identity.AddUser(ctx, tx, &u, hash)
		case err == nil:
			err = c.Identity.SetPassword(ctx, tx, domain, u.ID, hash)
		}
		if err != nil {
			return err
		}
		keys, err := identity.Keys(ctx, tx, domain, u.ID)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if err := c.Identity.DeleteKey(ctx, tx, domain, k.Access); err != nil {
				return err
			}
		}
		if staff.Key, err = c.Identity.AddKey(ctx, tx, domain, u.ID, "demo"); err != nil {
			return err
		}
		return c.Identity.SetGrant(ctx, tx, domain, &identity.Grant{User: demoStaffName, Project: staff.Project, Actions: []string{"bss:*", "eps:*"}})
	})
	c.Identity.Changed()
	s.account.Staff = staff
	return err
}

func (c *Counter) demoProjectsOnce(ctx context.Context, s *shopper, m order.Means) error {
	const day = 24 * time.Hour
	// by is a call that leaves a trace of its own type.
	by := func(back time.Duration, id, kind, event string) *Call {
		call := s.ago(back, id, event)
		call.Operation.Event.Type = kind
		return call
	}
	if err := c.OpenProjects(ctx, by(25*day, "CreateEnterpriseProjectAuth", "billing", "openEnterpriseProjectAuth")); err != nil {
		return err
	}
	ids := map[string]string{}
	for _, name := range demoProjectNames {
		call := by(24*day, "CreateEnterpriseProject", "enterpriseProject", "createEnterpriseProject")
		p, err := c.CreateProject(ctx, call, project.Project{Name: name, Description: "of the demo cloud"})
		if err != nil {
			return err
		}
		ids[name] = p.ID
	}
	s.project, s.expiry = ids["webshop"], subscription.ToOnDemand
	s.buy(9*day, m, demoServer("shop", "s3.small.1.linux", 1, 1))
	s.project, s.expiry = "", subscription.Delete
	lab := s.buy(8*day, m, demoServer("lab", "s3.small.1.linux", 1, 1))
	s.expiry = subscription.Grace
	if s.err != nil {
		return s.err
	}
	list, err := c.ListResources(ctx, s.ago(0, "ListPayPerUseCustomerResources", ""), "", subscription.Query{Order: lab}, 0, 1)
	if err != nil {
		return err
	}
	move := Moving{Resource: list.Resources[0].ID, Type: "ecs"}
	if err := c.MoveResource(ctx, by(7*day, "MigrateResource", "enterpriseProject", "migrateResource"), ids["research"], move); err != nil {
		return err
	}
	_, err = c.SetBudget(ctx, by(0, "SetProjectBudget", "enterpriseProject", "setProjectBudget"), "", project.Budget{Project: ids["webshop"], Amount: 500 * dollar, Quota: 2000 * dollar, Shares: []int{80, 100}})
	return err
}
