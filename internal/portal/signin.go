package portal

import (
	"context"
	"net/http"
	"time"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/client/iam"
	"github.com/purser-cloud/purser/client/purser"
)

// signInForm is what was typed, without the password.
type signInForm struct {
	Account, User, Back string
	Wrong               string // why it was refused
	Over                bool   // the session before has ended
}

func (p *Portal) showSignIn(v *visit) {
	back := v.q("back")
	if !local(back) {
		back = ""
	}
	if v.session != nil && v.q("over") == "" {
		v.redirect("/")
		return
	}
	v.render(http.StatusOK, v.t("signin.title"), signInPage(v, &signInForm{Back: back, Over: v.q("over") == "1"}))
}

// signIn gets a token for who signs in and seals it into the session.
func (p *Portal) signIn(v *visit) {
	f := &signInForm{Account: v.form("account"), User: v.form("user"), Back: v.form("back")}
	if f.User == "" {
		f.User = f.Account
	}
	password := v.r.PostFormValue("password")
	if f.Account == "" || password == "" {
		f.Wrong = v.t("signin.missing")
		v.render(http.StatusBadRequest, v.t("signin.title"), signInPage(v, f))
		return
	}
	v.connect(client.Credential{})
	who := iam.PasswordIdentity{Methods: []iam.PasswordIdentityMethods{"password"}, Password: iam.PasswordProof{User: iam.PasswordUser{Name: f.User, Password: password, Domain: iam.PasswordUserDomain{Name: f.Account}}}}
	got, bad := do(v, func(ctx context.Context) (*iam.KeystoneCreateUserTokenByPasswordReply, error) {
		return v.api.IAM.KeystoneCreateUserTokenByPasswordWithResponse(ctx, &iam.KeystoneCreateUserTokenByPasswordParams{}, iam.CreateTokenBody{Auth: iam.PasswordAuth{
			Identity: who, Scope: &iam.AuthScope{Domain: &iam.AuthScopeDomain{Name: &f.Account}},
		}})
	})
	if bad != nil || got.JSON201 == nil {
		f.Wrong = v.t("trouble.unreachable")
		status := http.StatusBadGateway
		if bad != nil {
			f.Wrong, status = v.problemText(bad), http.StatusUnauthorized
		}
		v.render(status, v.t("signin.title"), signInPage(v, f))
		return
	}
	token := &got.JSON201.Token
	s := &session{
		Token: got.HTTPResponse.Header.Get("X-Subject-Token"), Expires: when(token.ExpiresAt), Nonce: v.random(12), UserID: token.User.Id, UserName: token.User.Name,
		AccountID: token.User.Domain.Id, AccountName: token.User.Domain.Name, Kind: "customer",
	}
	if s.Expires.IsZero() {
		s.Expires = v.real.Add(time.Hour)
	}
	v.connect(client.Credential{Token: s.Token})
	me, bad := do(v, func(ctx context.Context) (*purser.ShowMeReply, error) { return v.api.Purser.ShowMeWithResponse(ctx) })
	if bad == nil && me.JSON200 != nil {
		s.Own, s.Kind = true, me.JSON200.Kind
	}
	if err := v.keep(s); err != nil {
		v.fail(err)
		return
	}
	if !local(f.Back) {
		f.Back = "/"
	}
	v.redirect(f.Back)
}

// signOut ends the session in this browser.
func (p *Portal) signOut(v *visit) {
	v.forget()
	v.redirect("/signin")
}
