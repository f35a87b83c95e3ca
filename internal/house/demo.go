package house

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/purser-cloud/purser/cloud"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/operation"
)

// demoRegion is the region that demo.json names; its project is each account's project_id.
const demoRegion = "ap-southeast-1"

// Demo is what demo.json holds: where the demo cloud is and what to sign in with.
type Demo struct {
	Endpoint    string        `json:"endpoint"`
	TLSEndpoint string        `json:"tls_endpoint,omitempty"`
	TLSCA       string        `json:"tls_ca,omitempty"` // file of the self-made certificate, which signs itself
	Region      string        `json:"region"`
	Operator    Credentials   `json:"operator"`
	Partner     Credentials   `json:"partner"`
	Customers   []Credentials `json:"customers"`
	ProjectUser *Credentials  `json:"project_user,omitempty"` // of the first customer; may act in one enterprise project only
}

// Credentials are those of an account's owner.
type Credentials struct {
	DomainID   string `json:"domain_id"`
	DomainName string `json:"domain_name"`
	User       string `json:"user"`
	Password   string `json:"password"`
	AccessKey  string `json:"access_key"`
	SecretKey  string `json:"secret_key"`
	ProjectID  string `json:"project_id"`

	EnterpriseProjectID string `json:"enterprise_project_id,omitempty"` // of the project user
}

// Furnish sets the demo cloud up unless demo.json says that it is there. operation.ErrDemoThere where another node has made it.
func (h *House) Furnish(ctx context.Context, say func(string)) error {
	if _, err := h.readDemo(); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	content, err := catalog.Read(cloud.Files)
	if err != nil {
		return fmt.Errorf("the shipped catalogue: %w", err)
	}
	accounts, err := h.Counter.SetUpDemo(ctx, content, h.Counter.DB.Engine() == db.SQLite, say) // only there is nobody else
	if err != nil {
		return err
	}
	d := Demo{Region: demoRegion}
	for i := range accounts {
		c := credentials(&accounts[i])
		switch accounts[i].Domain.Kind {
		case identity.Operator:
			d.Operator = c
		case identity.Partner:
			d.Partner = c
		default:
			d.Customers = append(d.Customers, c)
			if staff := accounts[i].Staff; staff != nil {
				c.User, c.Password, c.EnterpriseProjectID = staff.User, staff.Password.Reveal(), staff.Project
				c.AccessKey, c.SecretKey = staff.Key.Access, staff.Key.Secret.Reveal()
				d.ProjectUser = &c
			}
		}
	}
	return h.writeDemo(&d)
}

func credentials(a *operation.DemoAccount) Credentials {
	c := Credentials{
		DomainID: a.Domain.ID, DomainName: a.Domain.Name, User: a.User, Password: a.Password.Reveal(),
		AccessKey: a.Key.Access, SecretKey: a.Key.Secret.Reveal(),
	}
	for _, p := range a.Projects {
		if p.Name == demoRegion {
			c.ProjectID = p.ID
		}
	}
	return c
}

func (h *House) demoPath() string { return filepath.Join(h.config.Data, demoFile) }

func (h *House) readDemo() (*Demo, error) {
	text, err := os.ReadFile(h.demoPath())
	if err != nil {
		return nil, err
	}
	var d Demo
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("%s: %w; delete it to have new sign-ins made", h.demoPath(), err)
	}
	return &d, nil
}

// writeDemo replaces the file whole: a reader never sees half of it.
func (h *House) writeDemo(d *Demo) error {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	next := h.demoPath() + ".new"
	if err := os.WriteFile(next, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write demo.json: %w", err)
	}
	return os.Rename(next, h.demoPath())
}

// WriteDemo puts the endpoints of this run into demo.json.
func (h *House) WriteDemo(endpoint, tlsEndpoint string) (*Demo, error) {
	d, err := h.readDemo()
	if err != nil {
		return nil, err
	}
	d.Endpoint, d.TLSEndpoint, d.TLSCA = endpoint, tlsEndpoint, ""
	if tlsEndpoint != "" && h.config.TLSCert == "" {
		if d.TLSCA, err = filepath.Abs(filepath.Join(h.config.Data, selfCert)); err != nil {
			return nil, err
		}
	}
	return d, h.writeDemo(d)
}

// Welcome is what is printed once the demo cloud is open.
func (d *Demo) Welcome() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("\npurser is open: %s", d.Endpoint)
	if d.TLSEndpoint != "" {
		line("      and over TLS: %s   (curl -kv; certificate %s)", d.TLSEndpoint, d.TLSCA)
	}
	line("      pages: sign in there as one of these; API reference: %s/docs/\n", d.Endpoint)
	line("%-10s %-17s %-9s %-21s %-21s %s", "", "account", "user", "password", "access key", "secret key")
	row := func(role string, c Credentials) {
		line("%-10s %-17s %-9s %-21s %-21s %s", role, c.DomainName, c.User, c.Password, c.AccessKey, c.SecretKey)
	}
	row("operator", d.Operator)
	row("partner", d.Partner)
	for _, c := range d.Customers {
		row("customer", c)
	}
	c := d.Customers[0]
	line("\nFive lines to try (sign-ins and keys are in demo.json too):\n")
	line(`  TOKEN=$(curl -sS -D- -o /dev/null %s/v3/auth/tokens -H 'Content-Type: application/json' -d '{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"%s","password":"%s","domain":{"name":"%s"}}}},"scope":{"domain":{"name":"%s"}}}}' | tr -d '\r' | sed -n 's/^X-Subject-Token: //p')`,
		d.Endpoint, c.User, c.Password, c.DomainName, c.DomainName)
	line(`  curl -sS '%s/v2/products/service-types?limit=3' -H "X-Auth-Token: $TOKEN" -H 'X-Language: en_US'`, d.Endpoint)
	line(`  curl -sS '%s/purser/v1/products?text=s3.small&limit=1' -H "X-Auth-Token: $TOKEN"`, d.Endpoint)
	line(`  curl -sS %s/v2/bills/ratings/on-demand-resources -H "X-Auth-Token: $TOKEN" -d '{"project_id":"%s","product_infos":[{"id":"1","cloud_service_type":"hws.service.type.ec2","resource_type":"hws.resource.type.vm","resource_spec":"s3.small.1.linux","region":"%s","usage_factor":"Duration","usage_value":720,"usage_measure_id":4,"subscription_num":1}]}'`,
		d.Endpoint, c.ProjectID, d.Region)
	line(`  python3 -c "from huaweicloudsdkcore.auth.credentials import GlobalCredentials as G; from huaweicloudsdkbssintl.v2 import *; print(BssintlClient.new_builder().with_credentials(G('%s','%s','%s')).with_endpoint('%s').build().list_service_types(ListServiceTypesRequest(limit=3)))"`,
		c.AccessKey, c.SecretKey, c.DomainID, d.Endpoint)
	line("\nCtrl-C stops it.")
	return b.String()
}
