package iamapi

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
)

// KeystoneCreateUserTokenByPassword signs a user in.
func (d *Door) KeystoneCreateUserTokenByPassword(ctx context.Context, r KeystoneCreateUserTokenByPasswordRequestObject) (KeystoneCreateUserTokenByPasswordResponseObject, error) {
	auth := &r.Body.Auth
	if auth.Identity.Totp != nil || len(auth.Identity.Methods) != 1 || auth.Identity.Methods[0] != Password {
		return nil, fault.New(fault.NotBuilt, "PURSER.0501", "sign-in by password only: methods must be [\"password\"]; codes of a second factor are not built yet")
	}
	user := &auth.Identity.Password.User
	s := identity.SignIn{UserName: user.Name, DomainName: user.Domain.Name, Password: identity.Secret(user.Password)}
	if scope := auth.Scope; scope != nil {
		if scope.Domain != nil {
			s.ScopeDomain, s.ScopeDomName = contract.Text(scope.Domain.Id), contract.Text(scope.Domain.Name)
		}
		if scope.Project != nil {
			s.ProjectID, s.ProjectName = contract.Text(scope.Project.Id), contract.Text(scope.Project.Name)
		}
	}
	t, err := d.counter.IssueToken(ctx, doorway.CallOf(ctx), &s)
	if err != nil {
		return nil, err
	}
	return KeystoneCreateUserTokenByPassword201JSONResponse{
		Body: tokenAnswer(&t), Headers: KeystoneCreateUserTokenByPassword201ResponseHeaders{XSubjectToken: new(t.Text.Reveal())},
	}, nil
}

// KeystoneValidateToken shows a token that is good.
func (d *Door) KeystoneValidateToken(ctx context.Context, r KeystoneValidateTokenRequestObject) (KeystoneValidateTokenResponseObject, error) {
	t, err := d.counter.CheckToken(ctx, doorway.CallOf(ctx), identity.Secret(r.Params.XSubjectToken))
	if err != nil {
		return nil, err
	}
	return KeystoneValidateToken200JSONResponse{
		Body: tokenAnswer(&t), Headers: KeystoneValidateToken200ResponseHeaders{XSubjectToken: &r.Params.XSubjectToken},
	}, nil
}

// KeystoneCheckToken says whether a token is good.
func (d *Door) KeystoneCheckToken(ctx context.Context, r KeystoneCheckTokenRequestObject) (KeystoneCheckTokenResponseObject, error) {
	if _, err := d.counter.CheckToken(ctx, doorway.CallOf(ctx), identity.Secret(r.Params.XSubjectToken)); err != nil {
		return nil, err
	}
	return KeystoneCheckToken200Response{Headers: KeystoneCheckToken200ResponseHeaders{XSubjectToken: &r.Params.XSubjectToken}}, nil
}

func tokenAnswer(t *identity.Token) TokenAnswer {
	domain := TokenDomainResult{Id: t.Caller.DomainID, Name: t.Caller.DomainName}
	out := TokenResult{
		ExpiresAt: stamp(t.Expires), IssuedAt: stamp(t.Issued), Methods: []string{"password"}, Roles: roles(&t.Caller),
		User: TokenUserResult{Domain: domain, Id: t.Caller.UserID, Name: t.Caller.UserName, PasswordExpiresAt: ""},
	}
	if t.Project != nil {
		out.Project = &TokenProjectResult{Domain: domain, Id: t.Project.ID, Name: t.Project.Name}
	} else {
		out.Domain = &domain
	}
	return TokenAnswer{Token: out}
}

// roles names what the provider shows for an account's administrator; finer policies have no role.
func roles(c *identity.Caller) []TokenRole {
	if c.Owner {
		return []TokenRole{{Id: "0", Name: "te_admin"}}
	}
	return []TokenRole{}
}

// CreateTemporaryAccessKey makes a temporary key for the caller.
func (d *Door) CreateTemporaryAccessKey(ctx context.Context, r CreateTemporaryAccessKeyRequestObject) (CreateTemporaryAccessKeyResponseObject, error) {
	who := &r.Body.Auth.Identity
	if len(who.Methods) != 1 || who.Methods[0] != Token || who.Policy != nil {
		return nil, fault.New(fault.NotBuilt, "PURSER.0501", "temporary keys by methods [\"token\"] and without a policy of their own only: agencies are not built yet")
	}
	life := identity.TempLeast
	if who.Token != nil && who.Token.DurationSeconds != nil {
		life = time.Duration(*who.Token.DurationSeconds) * time.Second
	}
	t, err := d.counter.AddTemporary(ctx, doorway.CallOf(ctx), life)
	if err != nil {
		return nil, err
	}
	return CreateTemporaryAccessKey201JSONResponse{Credential: TemporaryAccessKey{
		Access: t.Access, Secret: t.Secret.Reveal(), Securitytoken: t.SecurityToken.Reveal(), ExpiresAt: stamp(t.Expires),
	}}, nil
}

func int32Of(n int) contract.Int32 { return contract.Int32(n) }
