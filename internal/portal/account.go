package portal

import (
	"context"
	"strings"

	"github.com/a-h/templ"

	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/client/eps"
	"github.com/purser-cloud/purser/client/iam"
	"github.com/purser-cloud/purser/client/purser"
)

// accountView is what a customer sees of its account.
type accountView struct {
	balances *asked[*bss.ShowCustomerAccountBalancesReply]
	quota    *asked[*bss.ShowCustomerExpenditureQuotaReply]
	entries  *asked[*purser.ListLedgerEntriesReply]
	topups   *asked[*purser.ListTopUpsReply]
	members  *asked[*purser.ListMembersReply]
}

func showAccount(v *visit) (templ.Component, error) {
	a := &accountView{balances: askBalances(v)}
	a.quota = ask(v, func(ctx context.Context) (*bss.ShowCustomerExpenditureQuotaReply, error) {
		return v.api.BSS.ShowCustomerExpenditureQuotaWithResponse(ctx)
	})
	if v.session.Own {
		a.entries = ask(v, func(ctx context.Context) (*purser.ListLedgerEntriesReply, error) {
			return v.api.Purser.ListLedgerEntriesWithResponse(ctx, v.session.AccountID, &purser.ListLedgerEntriesParams{Limit: new(int32(pageSize)), Offset: new(int32(v.offset()))})
		})
		a.topups = ask(v, func(ctx context.Context) (*purser.ListTopUpsReply, error) {
			return v.api.Purser.ListTopUpsWithResponse(ctx, &purser.ListTopUpsParams{Limit: new(int32(5))})
		})
		a.members = ask(v, func(ctx context.Context) (*purser.ListMembersReply, error) {
			return v.api.Purser.ListMembersWithResponse(ctx, v.session.AccountID, &purser.ListMembersParams{Limit: new(int32(50))})
		})
	}
	if err := v.wait(); err != nil {
		return nil, err
	}
	return accountPage(v, a), nil
}

// topUp begins a payment into the balance.
func topUp(v *visit) outcome {
	got, bad := do(v, func(ctx context.Context) (*purser.BeginTopUpReply, error) {
		return v.api.Purser.BeginTopUpWithResponse(ctx, &purser.BeginTopUpParams{IdempotencyKey: &v.key}, purser.BeginTopUpRequest{Amount: v.form("amount"), Method: purser.BeginTopUpRequestMethod(v.form("method"))})
	})
	if bad != nil {
		return v.refusal("", bad)
	}
	return done("/account#topups", v.t("account.begun", amountOf(got.JSON201.Amount).String()))
}

// paySandbox says how a payment of the sandbox ends.
func paySandbox(v *visit) outcome {
	reference := v.form("reference")
	result := purser.PayInSandboxRequestOutcome("succeed")
	if v.form("outcome") == "fail" {
		result = "fail"
	}
	got, bad := do(v, func(ctx context.Context) (*purser.PayInSandboxReply, error) {
		return v.api.Purser.PayInSandboxWithResponse(ctx, reference, purser.PayInSandboxRequest{Outcome: result})
	})
	if bad != nil {
		return v.refusal("/account", bad)
	}
	return outcome{good: got.JSON200.State == "succeeded", to: "/account#topups", text: v.t("account.ended", v.code("topup_state", got.JSON200.State))}
}

// sandboxReference is the reference of a payment whose page is the sandbox's on this server; empty: it is elsewhere.
func sandboxReference(t *purser.TopUp) string {
	if t.PayUrl == nil {
		return ""
	}
	_, reference, ok := strings.Cut(*t.PayUrl, "/purser/v1/sandbox/payments/")
	if !ok {
		return ""
	}
	return reference
}

// setPreferences changes what the customer decides itself.
func setPreferences(v *visit) outcome {
	in := purser.ChangeMeRequest{AlertBelow: v.someForm("alert")}
	if method := v.form("invoices"); method != "" {
		in.InvoiceMethod = new(purser.ChangeMeRequestInvoiceMethod(method))
	}
	if _, bad := do(v, func(ctx context.Context) (*purser.ChangeMeReply, error) {
		return v.api.Purser.ChangeMeWithResponse(ctx, &purser.ChangeMeParams{IdempotencyKey: &v.key}, in)
	}); bad != nil {
		return v.refusal("", bad)
	}
	return done("/account", v.t("account.saved"))
}

// credentialView is the user's own: who it is, its projects and keys.
type credentialView struct {
	projects *asked[*iam.KeystoneListAuthProjectsReply]
	keys     *asked[*iam.ListPermanentAccessKeysReply]
	users    *asked[*iam.KeystoneListUsersReply]
	made     *iam.CreatedAccessKey // just now; its secret is shown once
}

func showCredential(v *visit) (templ.Component, error) {
	c := &credentialView{}
	c.ask(v)
	if err := v.wait(); err != nil {
		return nil, err
	}
	return credentialPage(v, c), nil
}

func (c *credentialView) ask(v *visit) {
	c.projects = ask(v, func(ctx context.Context) (*iam.KeystoneListAuthProjectsReply, error) {
		return v.api.IAM.KeystoneListAuthProjectsWithResponse(ctx)
	})
	c.keys = ask(v, func(ctx context.Context) (*iam.ListPermanentAccessKeysReply, error) {
		return v.api.IAM.ListPermanentAccessKeysWithResponse(ctx, &iam.ListPermanentAccessKeysParams{UserId: &v.session.UserID})
	})
	c.users = ask(v, func(ctx context.Context) (*iam.KeystoneListUsersReply, error) {
		return v.api.IAM.KeystoneListUsersWithResponse(ctx, nil)
	})
}

func makeKey(v *visit) outcome {
	got, bad := do(v, func(ctx context.Context) (*iam.CreatePermanentAccessKeyReply, error) {
		return v.api.IAM.CreatePermanentAccessKeyWithResponse(ctx, iam.CreateAccessKeyBody{Credential: iam.CreateAccessKeyOption{UserId: v.session.UserID, Description: v.someForm("description")}})
	})
	if bad != nil {
		return v.refusal("", bad)
	}
	c := &credentialView{made: &got.JSON201.Credential}
	c.ask(v)
	if err := v.wait(); err != nil {
		return refused("", v.t("trouble.unreachable"))
	}
	return outcome{good: true, text: v.t("credential.made", c.made.Access), body: credentialPage(v, c)}
}

func switchKey(v *visit) outcome {
	access := v.form("access")
	var bad *problem
	switch v.form("state") {
	case "delete":
		_, bad = do(v, func(ctx context.Context) (*iam.DeletePermanentAccessKeyReply, error) {
			return v.api.IAM.DeletePermanentAccessKeyWithResponse(ctx, access)
		})
	case "active", "inactive":
		state := iam.UpdateAccessKeyOptionStatus(v.form("state"))
		_, bad = do(v, func(ctx context.Context) (*iam.UpdatePermanentAccessKeyReply, error) {
			return v.api.IAM.UpdatePermanentAccessKeyWithResponse(ctx, access, iam.UpdateAccessKeyBody{Credential: iam.UpdateAccessKeyOption{Status: &state}})
		})
	default:
		return refused("", v.t("trouble.form"))
	}
	if bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("credential.changed", access))
}

// changePassword changes the user's own password; its tokens end with it, so it signs in again.
func changePassword(v *visit) outcome {
	if v.r.PostFormValue("new") != v.r.PostFormValue("again") {
		return refused("", v.t("credential.differ"))
	}
	in := iam.UpdatePasswordBody{User: iam.UpdatePasswordOption{OriginalPassword: v.r.PostFormValue("old"), Password: v.r.PostFormValue("new")}}
	if _, bad := do(v, func(ctx context.Context) (*iam.KeystoneUpdateUserPasswordReply, error) {
		return v.api.IAM.KeystoneUpdateUserPasswordWithResponse(ctx, v.session.UserID, in)
	}); bad != nil {
		return v.refusal("", bad)
	}
	v.expired = true
	return done("/signin", v.t("credential.password_set"))
}

func changeContact(v *visit) outcome {
	in := iam.UpdateUserInformationBody{User: iam.UpdateUserInformationOption{Email: v.someForm("email"), Mobile: v.someForm("mobile")}}
	if _, bad := do(v, func(ctx context.Context) (*iam.UpdateUserInformationReply, error) {
		return v.api.IAM.UpdateUserInformationWithResponse(ctx, v.session.UserID, in)
	}); bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("account.saved"))
}

// projectsView is the enterprise projects, and one of them with who may do what in it.
type projectsView struct {
	auth      *asked[*eps.ListEnterpriseProjectReply]
	quota     *asked[*eps.ShowEnterpriseProjectQuotaReply]
	grants    *asked[*purser.ListProjectGrantsReply]
	budgets   *asked[*purser.ListProjectBudgetsReply]
	resources *asked[*eps.ShowResourceBindEnterpriseProjectReply]
	users     *asked[*iam.KeystoneListUsersReply]
	one       *eps.EpDetail
}

func showProjects(v *visit) (templ.Component, error) {
	p := &projectsView{}
	p.auth = ask(v, func(ctx context.Context) (*eps.ListEnterpriseProjectReply, error) {
		return v.api.EPS.ListEnterpriseProjectWithResponse(ctx, &eps.ListEnterpriseProjectParams{Limit: new(int32(100))})
	})
	p.quota = ask(v, func(ctx context.Context) (*eps.ShowEnterpriseProjectQuotaReply, error) {
		return v.api.EPS.ShowEnterpriseProjectQuotaWithResponse(ctx)
	})
	id := v.q("id")
	if v.session.Own {
		p.grants = ask(v, func(ctx context.Context) (*purser.ListProjectGrantsReply, error) {
			return v.api.Purser.ListProjectGrantsWithResponse(ctx, &purser.ListProjectGrantsParams{EnterpriseProjectId: v.some("id")})
		})
		p.budgets = ask(v, func(ctx context.Context) (*purser.ListProjectBudgetsReply, error) {
			return v.api.Purser.ListProjectBudgetsWithResponse(ctx, nil)
		})
	}
	if id != "" {
		p.resources = ask(v, func(ctx context.Context) (*eps.ShowResourceBindEnterpriseProjectReply, error) {
			return v.api.EPS.ShowResourceBindEnterpriseProjectWithResponse(ctx, id, eps.ResourceFilter{Limit: new(int32(100)), ResourceTypes: []string{}, Projects: []string{}})
		})
		p.users = ask(v, func(ctx context.Context) (*iam.KeystoneListUsersReply, error) {
			return v.api.IAM.KeystoneListUsersWithResponse(ctx, nil)
		})
	}
	if err := v.wait(); err != nil {
		return nil, err
	}
	if p.auth.ok() {
		for i := range p.auth.reply.JSON200.EnterpriseProjects {
			if p.auth.reply.JSON200.EnterpriseProjects[i].Id == id {
				p.one = &p.auth.reply.JSON200.EnterpriseProjects[i]
			}
		}
	}
	return projectsPage(v, p), nil
}

func openProjects(v *visit) outcome {
	if _, bad := do(v, func(ctx context.Context) (*bss.CreateEnterpriseProjectAuthReply, error) {
		return v.api.BSS.CreateEnterpriseProjectAuthWithResponse(ctx)
	}); bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("projects.opened"))
}

func makeProject(v *visit) outcome {
	in := eps.EnterpriseProject{Name: v.form("name"), Description: v.someForm("description")}
	if id := v.form("id"); id != "" {
		if _, bad := do(v, func(ctx context.Context) (*eps.UpdateEnterpriseProjectReply, error) {
			return v.api.EPS.UpdateEnterpriseProjectWithResponse(ctx, id, in)
		}); bad != nil {
			return v.refusal("", bad)
		}
		return done("", v.t("projects.saved", in.Name))
	}
	if _, bad := do(v, func(ctx context.Context) (*eps.CreateEnterpriseProjectReply, error) {
		return v.api.EPS.CreateEnterpriseProjectWithResponse(ctx, in)
	}); bad != nil {
		return v.refusal("", bad)
	}
	return done("/projects", v.t("projects.made", in.Name))
}

func switchProject(v *visit) outcome {
	if _, bad := do(v, func(ctx context.Context) (*eps.SwitchEnterpriseProjectReply, error) {
		return v.api.EPS.SwitchEnterpriseProjectWithResponse(ctx, v.form("id"), eps.ProjectAction{Action: eps.ProjectActionAction(v.form("action"))})
	}); bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("projects.saved", v.form("name")))
}

// grantProject says what a user may do in a project; no actions take the grant away.
func grantProject(v *visit) outcome {
	in := purser.SetProjectGrantRequest{EnterpriseProjectId: v.form("id"), UserName: v.someForm("user"), Actions: strings.Fields(strings.ReplaceAll(v.r.PostFormValue("actions"), ",", " "))}
	if in.Actions == nil {
		in.Actions = []string{}
	}
	if _, bad := do(v, func(ctx context.Context) (*purser.SetProjectGrantReply, error) {
		return v.api.Purser.SetProjectGrantWithResponse(ctx, &purser.SetProjectGrantParams{IdempotencyKey: &v.key}, in)
	}); bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("projects.granted", v.form("user")))
}

func setBudget(v *visit) outcome {
	in := purser.SetProjectBudgetRequest{Budget: v.someForm("budget"), Quota: v.someForm("quota"), AlertShares: []int32{80, 100}}
	if _, bad := do(v, func(ctx context.Context) (*purser.SetProjectBudgetReply, error) {
		return v.api.Purser.SetProjectBudgetWithResponse(ctx, v.form("id"), &purser.SetProjectBudgetParams{IdempotencyKey: &v.key}, in)
	}); bad != nil {
		return v.refusal("", bad)
	}
	return done("", v.t("projects.budget_set"))
}

// budget finds the budget of a project.
func (p *projectsView) budget(id string) *purser.ProjectBudget {
	if p.budgets.ok() {
		for i := range p.budgets.reply.JSON200.Budgets {
			if b := &p.budgets.reply.JSON200.Budgets[i]; b.EnterpriseProjectId == id {
				return b
			}
		}
	}
	return nil
}

func standingKind(standing string) string {
	if standing == "active" {
		return "good"
	}
	return "bad"
}

func topUpKind(state string) string {
	switch state {
	case "succeeded":
		return "good"
	case "pending":
		return "warn"
	case "failed", "expired":
		return "bad"
	}
	return ""
}

// quotaText is what an account may spend in a month; nothing: as much as it likes.
func (v *visit) quotaText(quota string) string {
	if amountOf(quota) == 0 {
		return v.t("account.no_quota")
	}
	return amountOf(quota).String() + " " + v.currency()
}
