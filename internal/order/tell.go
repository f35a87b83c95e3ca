package order

import (
	"context"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/db"
)

// Told is a message for the outside about an order.
type Told struct {
	Topic     string         `json:"topic"`
	Customer  string         `json:"customer_id"`
	Order     string         `json:"order_id"`
	Type      Type           `json:"order_type"`
	Status    Status         `json:"status"`
	Amount    string         `json:"amount"`
	Reason    string         `json:"reason,omitempty"` // of a refusal
	Resources []ToldResource `json:"resources,omitempty"`
	Key       string         `json:"-"` // once for a topic; empty: the order
}

// ToldResource is a resource that a cloud has to provision, or that something happened to.
type ToldResource struct {
	Instance string `json:"instance_id"`
	ID       string `json:"resource_id,omitempty"` // once it is provisioned
	Parent   string `json:"parent_instance_id,omitempty"`
	Related  string `json:"related_instance_id,omitempty"` // a primary resource that it goes with
	Line     string `json:"order_line_item_id,omitempty"`
	Name     string `json:"resource_name"`
	Service  string `json:"service_type_code"`
	Type     string `json:"resource_type_code"`
	Spec     string `json:"resource_spec_code"`
	Region   string `json:"region_code"`
	Zone     string `json:"available_zone,omitempty"`
	Size     string `json:"resource_size,omitempty"`
	SizeUnit int32  `json:"size_measure_id,omitempty"`
	Project  string `json:"project_id,omitempty"`
	EP       string `json:"enterprise_project_id,omitempty"`
}

// tell hands a message to the outbox; without one nothing is told.
func (d *Desk) tell(ctx context.Context, tx *db.Tx, o *Order, topic string, units []unit) error {
	if d.Tell == nil {
		return nil
	}
	m := Told{Topic: topic, Customer: o.Customer, Order: o.ID, Type: o.Type, Status: o.Status, Amount: o.Amount.String()}
	for i := range units {
		u, l := &units[i], units[i].line
		if u.granted {
			continue // nobody has to provision it
		}
		r := ToldResource{
			Instance: u.instance, Parent: u.primary, Related: u.related, Line: l.ID(), Name: nameOf(l, u.k), Service: l.Service, Type: l.ResourceType, Spec: l.Spec,
			Region: l.Region, Zone: l.Zone, Project: o.CloudProject, EP: o.Project,
		}
		if l.Size.Unit != 0 {
			r.Size, r.SizeUnit = l.Size.Value.String(), l.Size.Unit
		}
		m.Resources = append(m.Resources, r)
	}
	return d.Tell(ctx, tx, &m)
}

// charged says that an order took money or gave it back, whose fee records are written by now.
func (d *Desk) charged(ctx context.Context, tx *db.Tx, o *Order) error {
	defer func() { o.deed = nil }()
	if d.Charged == nil {
		return nil
	}
	return d.Charged(ctx, tx, o)
}

// begins is when the resources of an order begin: at the chosen instant, or now.
func (o *Order) begins(now time.Time) time.Time {
	if o.Effective.After(now) {
		return o.Effective
	}
	return now
}

// nameOf is the name of the k-th resource of a line: as ordered, numbered when there are several.
func nameOf(l *Line, k int) string {
	name := l.Name
	if name == "" {
		name = l.Spec
	}
	if l.Num == 1 {
		return name
	}
	return fmt.Sprintf("%s-%04d", name, k+1)
}
