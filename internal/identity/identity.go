// Package identity owns who is who and what proves it: domains (accounts), their users, groups and projects,
// permanent and temporary access keys, tokens, and the policies that say who may do what.
//
// It does not own customers' standing or money (account, ledger), nor which action an operation needs (contract).
//
// How a caller proves itself: a signature SDK-HMAC-SHA256 with an access key, or X-Auth-Token. Refusals, each with
// its own code and text:
//
//	nothing shown, malformed, not signed, stale date   401 APIGW.0301  (texts differ)
//	unknown or inactive key                            401 APIGW.0301  "Get secretKey failed,ak:…"
//	wrong signature                                    401 APIGW.0301  "verify aksk signature fail"
//	unknown token                                      401 APIGW.0301  "decrypt token fail"
//	expired token or temporary key                     401 CBC.0154
//	disabled user or account, foreign X-Domain-Id      403 CBC.0155
//	missing action                                     403 CBC.0151
//
// Meanings of time: everything here is real time; a test clock never touches a credential.
//
// Invariants: a secret is sealed or hashed at rest and shown once; comparisons take constant time; the caller's
// account comes from the credential only; a user has at most two permanent keys; a change to a user or a key is
// seen at once by this process and within a second by others on the same store.
package identity

import (
	"slices"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/fault"
)

// Kinds of domains.
const (
	Operator = "operator"
	Partner  = "partner"
	Customer = "customer"
)

// Ways of proving who one is.
const (
	BySignature = "aksk"
	ByToken     = "token"
	ByTemporary = "temporary"
)

// Settings of the room.
const (
	Skew         = 15 * time.Minute // how far X-Sdk-Date may be from real time
	TokenLife    = 24 * time.Hour
	KeysMost     = 2                // permanent keys of one user
	FailuresMost = 5                // wrong passwords before a user is locked
	LockTime     = 15 * time.Minute // how long
	TempLeast    = 900 * time.Second
	TempMost     = 86400 * time.Second
)

// Caller is who is calling, as the credential says.
type Caller struct {
	DomainID   string
	DomainName string
	DomainKind string
	Partner    string // domain id of the partner that the customer belongs to; empty without
	UserID     string
	UserName   string
	Owner      bool   // the account's own user: may do everything in it
	AccessKey  string // with a signature
	ProjectID  string // of a token in project scope
	By         string
	Issued     time.Time // when its token was issued; zero without
	policies   []Statement
	grants     map[string][]Statement // by enterprise project
}

// Statement allows or denies actions. An action may have * for a part or for the rest: bss:order:*, eps:*.
type Statement struct {
	Effect  string   `json:"effect"` // allow or deny
	Actions []string `json:"actions"`
}

// Scope is what an authorised caller may see: every reading function takes it.
type Scope struct {
	Customer        string   // the account whose rows are seen
	Members         []string // accounts of members that are seen with it
	AllProjects     bool     // else only Projects
	Projects        []string
	DiscountsHidden bool
	Operator        bool
	Partner         bool
}

// Within lists the enterprise projects that rows may belong to; nil: all.
func (s *Scope) Within() []string {
	if s.AllProjects {
		return nil
	}
	return s.Projects
}

// Sees says whether rows of an enterprise project are within the scope.
func (s *Scope) Sees(project string) bool {
	return s.AllProjects || slices.Contains(s.Projects, project)
}

// Actions that only hide discounts where they are missing (api.md 0.10).
const (
	viewDiscountRole     = "bss:discount:view"
	viewDiscountIdentity = "billing:contract:viewDiscount"
)

// Authorise says whether the caller may do an operation that needs these actions: all of the role's or all of the
// identity policy's. The actions that only hide discounts never refuse. No actions: everyone may who is known. Who has
// them in some enterprise projects only gets a scope of those, of an operation that knows of projects (byProject); to
// others such a caller lacks the actions.
func Authorise(c *Caller, role, identity []string, byProject bool) (Scope, error) {
	scope := Scope{Customer: c.DomainID, AllProjects: true, Operator: c.DomainKind == Operator, Partner: c.DomainKind == Partner}
	if c.Owner {
		return scope, nil
	}
	scope.DiscountsHidden = !c.seesDiscounts(c.policies)
	role, identity = needed(role), needed(identity)
	free := len(role)+len(identity) == 0
	if free && (len(c.grants) == 0 || len(c.policies) > 0) || !free && mayEither(c.policies, role, identity) {
		return scope, nil
	}
	if byProject && !scope.Operator && !scope.Partner {
		hidden := false
		for project, granted := range c.grants {
			with := append(slices.Clone(c.policies), granted...)
			if free || mayEither(with, role, identity) {
				scope.Projects = append(scope.Projects, project)
				hidden = hidden || !c.seesDiscounts(with)
			}
		}
		if len(scope.Projects) > 0 {
			slices.Sort(scope.Projects)
			scope.AllProjects, scope.DiscountsHidden = false, hidden
			return scope, nil
		}
	}
	wanted := identity
	if len(role) > 0 {
		wanted = role
	}
	return Scope{}, fault.New(fault.Forbidden, "CBC.0151", "user access denied.checkCustomerPermission,correct permission code is %s", strings.Join(wanted, ","))
}

// needed leaves out the actions that only hide discounts.
func needed(actions []string) []string {
	for i, a := range actions {
		if a == viewDiscountRole || a == viewDiscountIdentity {
			return slices.Delete(slices.Clone(actions), i, i+1)
		}
	}
	return actions
}

func (c *Caller) seesDiscounts(policies []Statement) bool {
	return may(policies, viewDiscountRole) || may(policies, viewDiscountIdentity)
}

func mayEither(policies []Statement, role, identity []string) bool {
	return len(role) > 0 && mayAll(policies, role) || len(identity) > 0 && mayAll(policies, identity)
}

func mayAll(policies []Statement, actions []string) bool {
	for _, a := range actions {
		if !may(policies, a) {
			return false
		}
	}
	return true
}

// may says whether some statement allows the action and none denies it.
func may(policies []Statement, action string) bool {
	allowed := false
	for i := range policies {
		s := &policies[i]
		for _, pattern := range s.Actions {
			if !covers(pattern, action) {
				continue
			}
			if s.Effect == "deny" {
				return false
			}
			allowed = true
		}
	}
	return allowed
}

// covers matches part by part, without case; a * as the last part covers whatever follows.
func covers(pattern, action string) bool {
	for {
		p, pRest, pMore := strings.Cut(pattern, ":")
		a, aRest, aMore := strings.Cut(action, ":")
		if p == "*" && !pMore {
			return true
		}
		if p != "*" && !strings.EqualFold(p, a) {
			return false
		}
		if pMore != aMore {
			return false
		}
		if !pMore {
			return true
		}
		pattern, action = pRest, aRest
	}
}

// CheckStatements says what is wrong with a policy.
func CheckStatements(statements []Statement) error {
	if len(statements) == 0 || len(statements) > 100 {
		return fault.New(fault.Invalid, "CBC.0100", "a policy has 1 to 100 statements")
	}
	for _, s := range statements {
		if s.Effect != "allow" && s.Effect != "deny" || len(s.Actions) == 0 || len(s.Actions) > 100 {
			return fault.New(fault.Invalid, "CBC.0100", "a statement has the effect allow or deny and 1 to 100 actions")
		}
		for _, a := range s.Actions {
			if a == "" || len(a) > 128 {
				return fault.New(fault.Invalid, "CBC.0100", "an action has 1 to 128 characters")
			}
		}
	}
	return nil
}
