package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
)

func readVersion(ctx context.Context, r db.Reader) (n int64, err error) {
	if err = r.QueryRow(ctx, `SELECT n FROM identity_version WHERE one = 1`).Scan(&n); err != nil {
		return 0, fmt.Errorf("read the identity version: %w", err)
	}
	return n, nil
}

// changed tells every process on this store that what it remembers may be old.
func changed(ctx context.Context, tx *db.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE identity_version SET n = n + 1 WHERE one = 1`)
	return err
}

// keptKey is an access key as kept.
type keptKey struct {
	domain, user string
	sealed       []byte
	active       bool
	token        []byte
	expires      time.Time
}

func readKey(ctx context.Context, r db.Reader, access string) (k keptKey, err error) {
	var active int64
	err = r.QueryRow(ctx, `SELECT domain, user_id, sealed, active FROM identity_key WHERE access = $1`, access).
		Scan(&k.domain, &k.user, &k.sealed, &active)
	k.active = active == 1
	return k, err
}

func readTemporary(ctx context.Context, r db.Reader, access string) (k keptKey, err error) {
	var expires int64
	err = r.QueryRow(ctx, `SELECT domain, user_id, sealed, token, expires_at FROM identity_temporary WHERE access = $1`, access).
		Scan(&k.domain, &k.user, &k.sealed, &k.token, &expires)
	k.active, k.expires = true, db.TimeOf(expires)
	return k, err
}

// readCaller reads the user with its account and policies. usable says why it may not call.
func readCaller(ctx context.Context, r db.Reader, domain, user string) (c Caller, usable, err error) {
	var userOn, domainOn, owner int64
	err = r.QueryRow(ctx, `SELECT d.id, d.name, d.kind, d.partner, d.enabled, u.id, u.name, u.enabled, u.owner
		FROM identity_user u JOIN identity_domain d ON d.id = u.domain WHERE u.domain = $1 AND u.id = $2`, domain, user).
		Scan(&c.DomainID, &c.DomainName, &c.DomainKind, &c.Partner, &domainOn, &c.UserID, &c.UserName, &userOn, &owner)
	if errors.Is(err, db.ErrNoRows) {
		return c, nil, refuse("the user of this credential is gone")
	}
	if err != nil {
		return c, nil, fmt.Errorf("read the caller: %w", err)
	}
	c.Owner = owner == 1
	switch {
	case domainOn == 0:
		usable = fault.New(fault.Forbidden, "CBC.0155", "the account %s is disabled", c.DomainName)
	case userOn == 0:
		usable = fault.New(fault.Forbidden, "CBC.0155", "the user %s is disabled", c.UserName)
	}
	if c.policies, err = readStatements(ctx, r, domain, user); err != nil {
		return c, usable, err
	}
	c.grants, err = readGrants(ctx, r, domain, user)
	return c, usable, err
}

func readGrants(ctx context.Context, r db.Reader, domain, user string) (map[string][]Statement, error) {
	rows, err := r.Query(ctx, `SELECT project, statements FROM identity_grant WHERE domain = $1 AND (principal = $2
		OR principal IN (SELECT group_id FROM identity_member WHERE domain = $1 AND user_id = $2))`, domain, user)
	if err != nil {
		return nil, fmt.Errorf("read grants: %w", err)
	}
	defer rows.Close()
	var out map[string][]Statement
	for rows.Next() {
		var project, text string
		if err := rows.Scan(&project, &text); err != nil {
			return nil, fmt.Errorf("read grants: %w", err)
		}
		var some []Statement
		if err := json.Unmarshal([]byte(text), &some); err != nil {
			return nil, fmt.Errorf("read grants: %w", err)
		}
		if out == nil {
			out = map[string][]Statement{}
		}
		out[project] = append(out[project], some...)
	}
	return out, rows.Err()
}

// listGrants lists what principals of an account may do in single projects, or in one of them.
func listGrants(ctx context.Context, r db.Reader, domain, project string) ([]Grant, error) {
	rows, err := r.Query(ctx, `SELECT g.principal, g.project, g.statements, coalesce(u.name, ''), coalesce(p.name, '')
		FROM identity_grant g LEFT JOIN identity_user u ON u.domain = g.domain AND u.id = g.principal
		LEFT JOIN identity_group p ON p.domain = g.domain AND p.id = g.principal
		WHERE g.domain = $1 AND ($2 = '' OR g.project = $2) ORDER BY g.project, g.principal`, domain, project)
	if err != nil {
		return nil, fmt.Errorf("list grants: %w", err)
	}
	defer rows.Close()
	var out []Grant
	for rows.Next() {
		var g Grant
		var text string
		if err := rows.Scan(&g.principal, &g.Project, &text, &g.User, &g.Group); err != nil {
			return nil, fmt.Errorf("list grants: %w", err)
		}
		var some []Statement
		if err := json.Unmarshal([]byte(text), &some); err != nil {
			return nil, fmt.Errorf("list grants: %w", err)
		}
		for _, s := range some {
			g.Actions = append(g.Actions, s.Actions...)
		}
		out = append(out, g)
	}
	return out, rows.Err()
}

func putGrant(ctx context.Context, tx *db.Tx, domain, principal, project, statements string) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_grant (domain, principal, project, statements) VALUES ($1, $2, $3, $4)
		ON CONFLICT (domain, principal, project) DO UPDATE SET statements = excluded.statements`, domain, principal, project, statements)
	return err
}

func dropGrant(ctx context.Context, tx *db.Tx, domain, principal, project string) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM identity_grant WHERE domain = $1 AND principal = $2 AND project = $3`, domain, principal, project)
	return n > 0, err
}

func dropGrantsOf(ctx context.Context, tx *db.Tx, domain, project string) error {
	_, err := tx.Exec(ctx, `DELETE FROM identity_grant WHERE domain = $1 AND project = $2`, domain, project)
	return err
}

func readGroup(ctx context.Context, r db.Reader, domain, name string) (id string, err error) {
	err = r.QueryRow(ctx, `SELECT id FROM identity_group WHERE domain = $1 AND name = $2`, domain, name).Scan(&id)
	return id, err
}

func listGroups(ctx context.Context, r db.Reader, domain string) ([]Group, error) {
	rows, err := r.Query(ctx, `SELECT g.id, g.name, coalesce(u.name, '') FROM identity_group g
		LEFT JOIN identity_member m ON m.domain = g.domain AND m.group_id = g.id
		LEFT JOIN identity_user u ON u.domain = m.domain AND u.id = m.user_id WHERE g.domain = $1 ORDER BY g.name, g.id, u.name`, domain)
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	defer rows.Close()
	var out []Group
	for rows.Next() {
		var g Group
		var user string
		if err := rows.Scan(&g.ID, &g.Name, &user); err != nil {
			return nil, fmt.Errorf("list groups: %w", err)
		}
		if n := len(out); n == 0 || out[n-1].ID != g.ID {
			out = append(out, g)
		}
		if user != "" {
			last := &out[len(out)-1]
			last.Users = append(last.Users, user)
		}
	}
	return out, rows.Err()
}

func dropMembers(ctx context.Context, tx *db.Tx, domain, group string) error {
	_, err := tx.Exec(ctx, `DELETE FROM identity_member WHERE domain = $1 AND group_id = $2`, domain, group)
	return err
}

func dropGroup(ctx context.Context, tx *db.Tx, domain, group string) error {
	if err := dropMembers(ctx, tx, domain, group); err != nil {
		return err
	}
	for _, text := range []string{
		`DELETE FROM identity_policy WHERE domain = $1 AND principal = $2`, `DELETE FROM identity_grant WHERE domain = $1 AND principal = $2`,
		`DELETE FROM identity_group WHERE domain = $1 AND id = $2`,
	} {
		if _, err := tx.Exec(ctx, text, domain, group); err != nil {
			return err
		}
	}
	return nil
}

func readStatements(ctx context.Context, r db.Reader, domain, user string) ([]Statement, error) {
	rows, err := r.Query(ctx, `SELECT statements FROM identity_policy WHERE domain = $1 AND (principal = $2
		OR principal IN (SELECT group_id FROM identity_member WHERE domain = $1 AND user_id = $2))`, domain, user)
	if err != nil {
		return nil, fmt.Errorf("read policies: %w", err)
	}
	defer rows.Close()
	var out []Statement
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, fmt.Errorf("read policies: %w", err)
		}
		var some []Statement
		if err := json.Unmarshal([]byte(text), &some); err != nil {
			return nil, fmt.Errorf("read policies: %w", err)
		}
		out = append(out, some...)
	}
	return out, rows.Err()
}

// keptToken is a token as kept.
type keptToken struct {
	domain, user    string
	Project         string
	Issued, Expires time.Time
}

func readToken(ctx context.Context, r db.Reader, print []byte) (k keptToken, err error) {
	var issued, expires int64
	err = r.QueryRow(ctx, `SELECT domain, user_id, project, issued_at, expires_at FROM identity_token WHERE fingerprint = $1`, print).
		Scan(&k.domain, &k.user, &k.Project, &issued, &expires)
	k.Issued, k.Expires = db.TimeOf(issued), db.TimeOf(expires)
	return k, err
}

func insertToken(ctx context.Context, tx *db.Tx, print []byte, k keptToken) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_token (fingerprint, domain, user_id, project, issued_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6)`, print, k.domain, k.user, k.Project, db.Micros(k.Issued), db.Micros(k.Expires))
	return err
}

// dropExpired forgets tokens and temporary keys that ended a day ago or earlier, a few at a time.
func dropExpired(ctx context.Context, tx *db.Tx) error {
	before := db.Micros(tx.Real.Add(-24 * time.Hour))
	if _, err := tx.Exec(ctx, `DELETE FROM identity_token WHERE fingerprint IN
		(SELECT fingerprint FROM identity_token WHERE expires_at < $1 ORDER BY expires_at LIMIT 20)`, before); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM identity_temporary WHERE access IN
		(SELECT access FROM identity_temporary WHERE expires_at < $1 ORDER BY expires_at LIMIT 20)`, before)
	return err
}

// voidCredentials ends a user's tokens and temporary keys.
func voidCredentials(ctx context.Context, tx *db.Tx, domain, user string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM identity_token WHERE domain = $1 AND user_id = $2`, domain, user); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM identity_temporary WHERE domain = $1 AND user_id = $2`, domain, user)
	return err
}

func ownsProject(ctx context.Context, r db.Reader, domain, project string) (bool, error) {
	var n int
	err := r.QueryRow(ctx, `SELECT count(*) FROM identity_project WHERE domain = $1 AND id = $2`, domain, project).Scan(&n)
	return n == 1, err
}

func insertDomain(ctx context.Context, tx *db.Tx, d *Domain) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO identity_domain (id, name, kind, partner, enabled, created_at)
		VALUES ($1, $2, $3, $4, 1, $5) ON CONFLICT DO NOTHING`, d.ID, d.Name, d.Kind, d.Partner, db.Micros(tx.Real))
	return n == 1, err
}

func insertProject(ctx context.Context, tx *db.Tx, domain string, p Project) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO identity_project (domain, id, name, created_at)
		VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, domain, p.ID, p.Name, db.Micros(tx.Real))
	return n == 1, err
}

const userColumns = `u.domain, d.name, u.id, u.name, u.password, u.enabled, u.owner, u.email, u.mobile, u.description,
	u.failures, u.locked_until, u.created_at, u.password_at, d.enabled`

func scanUser(row db.Row) (u User, err error) {
	var enabled, owner, locked, created, changedAt, domainOn int64
	err = row.Scan(&u.DomainID, &u.DomainName, &u.ID, &u.Name, &u.password, &enabled, &owner, &u.Email, &u.Mobile, &u.Description,
		&u.failures, &locked, &created, &changedAt, &domainOn)
	u.Enabled, u.Owner, u.domainOn = enabled == 1, owner == 1, domainOn == 1
	u.lockedUntil, u.Created, u.PasswordSet = db.TimeOf(locked), db.TimeOf(created), db.TimeOf(changedAt)
	return u, err
}

func readUser(ctx context.Context, r db.Reader, domain, id string) (User, error) {
	return scanUser(r.QueryRow(ctx, `SELECT `+userColumns+` FROM identity_user u JOIN identity_domain d ON d.id = u.domain
		WHERE u.domain = $1 AND u.id = $2`, domain, id))
}

func readUserByID(ctx context.Context, r db.Reader, id string) (User, error) {
	return scanUser(r.QueryRow(ctx, `SELECT `+userColumns+` FROM identity_user u JOIN identity_domain d ON d.id = u.domain
		WHERE u.id = $1`, id))
}

func readUserByName(ctx context.Context, r db.Reader, domain, name string) (User, error) {
	return scanUser(r.QueryRow(ctx, `SELECT `+userColumns+` FROM identity_user u JOIN identity_domain d ON d.id = u.domain
		WHERE d.name = $1 AND u.name = $2`, domain, name))
}

func readUserByDomainID(ctx context.Context, r db.Reader, domain, name string) (User, error) {
	return scanUser(r.QueryRow(ctx, `SELECT `+userColumns+` FROM identity_user u JOIN identity_domain d ON d.id = u.domain
		WHERE u.domain = $1 AND u.name = $2`, domain, name))
}

func listUsers(ctx context.Context, r db.Reader, domain string) ([]User, error) {
	rows, err := r.Query(ctx, `SELECT `+userColumns+` FROM identity_user u JOIN identity_domain d ON d.id = u.domain
		WHERE u.domain = $1 ORDER BY u.name`, domain)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	defer rows.Close()
	var out []User
	for rows.Next() {
		u, err := scanUser(rows)
		if err != nil {
			return nil, fmt.Errorf("list users: %w", err)
		}
		out = append(out, u)
	}
	return out, rows.Err()
}

func insertUser(ctx context.Context, tx *db.Tx, u *User) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO identity_user (domain, id, name, password, enabled, owner, email, mobile, description,
		failures, locked_until, created_at, password_at) VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8, 0, 0, $9, $9) ON CONFLICT DO NOTHING`,
		u.DomainID, u.ID, u.Name, u.password, db.Bool(u.Owner), u.Email, u.Mobile, u.Description, db.Micros(tx.Real))
	return n == 1, err
}

// updateUser writes what a user record may change; the name may collide.
func updateUser(ctx context.Context, tx *db.Tx, u *User) error {
	_, err := tx.Exec(ctx, `UPDATE identity_user SET name = $1, enabled = $2, email = $3, mobile = $4, description = $5
		WHERE domain = $6 AND id = $7`, u.Name, db.Bool(u.Enabled), u.Email, u.Mobile, u.Description, u.DomainID, u.ID)
	return err
}

func setPassword(ctx context.Context, tx *db.Tx, domain, id string, hash []byte) error {
	_, err := tx.Exec(ctx, `UPDATE identity_user SET password = $1, password_at = $2, failures = 0, locked_until = 0
		WHERE domain = $3 AND id = $4`, hash, db.Micros(tx.Real), domain, id)
	return err
}

func setFailures(ctx context.Context, tx *db.Tx, u *User, failures int64, lockedUntil time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE identity_user SET failures = $1, locked_until = $2 WHERE domain = $3 AND id = $4`,
		failures, db.Micros(lockedUntil), u.DomainID, u.ID)
	return err
}

func listProjects(ctx context.Context, r db.Reader, domain string) ([]Project, error) {
	rows, err := r.Query(ctx, `SELECT id, name FROM identity_project WHERE domain = $1 ORDER BY name`, domain)
	if err != nil {
		return nil, fmt.Errorf("list projects: %w", err)
	}
	defer rows.Close()
	var out []Project
	for rows.Next() {
		var p Project
		if err := rows.Scan(&p.ID, &p.Name); err != nil {
			return nil, fmt.Errorf("list projects: %w", err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

func readDomain(ctx context.Context, r db.Reader, where, value string) (d Domain, err error) {
	text := `SELECT id, name, kind, partner, enabled FROM identity_domain WHERE id = $1`
	if where == "name" {
		text = `SELECT id, name, kind, partner, enabled FROM identity_domain WHERE name = $1`
	}
	var enabled int64
	err = r.QueryRow(ctx, text, value).Scan(&d.ID, &d.Name, &d.Kind, &d.Partner, &enabled)
	d.Enabled = enabled == 1
	return d, err
}

func named(ctx context.Context, r db.Reader, part string, n int) (ids []string, err error) {
	rows, err := r.Query(ctx, `SELECT id FROM identity_domain WHERE lower(name) LIKE $1 ESCAPE '!' ORDER BY id LIMIT $2`, db.Like(part), n)
	if err != nil {
		return nil, fmt.Errorf("look for accounts by name: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("look for accounts by name: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func listDomains(ctx context.Context, r db.Reader) ([]Domain, error) {
	rows, err := r.Query(ctx, `SELECT id, name, kind, partner, enabled FROM identity_domain ORDER BY kind DESC, name`)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	defer rows.Close()
	var out []Domain
	for rows.Next() {
		var d Domain
		var enabled int64
		if err := rows.Scan(&d.ID, &d.Name, &d.Kind, &d.Partner, &enabled); err != nil {
			return nil, fmt.Errorf("list accounts: %w", err)
		}
		d.Enabled = enabled == 1
		out = append(out, d)
	}
	return out, rows.Err()
}

const keyColumns = `access, domain, user_id, active, description, created_at`

func scanKey(row db.Row) (k Key, err error) {
	var active, created int64
	err = row.Scan(&k.Access, &k.DomainID, &k.UserID, &active, &k.Description, &created)
	k.Active, k.Created = active == 1, db.TimeOf(created)
	return k, err
}

func listKeys(ctx context.Context, r db.Reader, domain, user string) ([]Key, error) {
	rows, err := r.Query(ctx, `SELECT `+keyColumns+` FROM identity_key WHERE domain = $1 AND ($2 = '' OR user_id = $2) ORDER BY created_at, access`, domain, user)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	defer rows.Close()
	var out []Key
	for rows.Next() {
		k, err := scanKey(rows)
		if err != nil {
			return nil, fmt.Errorf("list keys: %w", err)
		}
		out = append(out, k)
	}
	return out, rows.Err()
}

func readOwnKey(ctx context.Context, r db.Reader, domain, access string) (Key, error) {
	return scanKey(r.QueryRow(ctx, `SELECT `+keyColumns+` FROM identity_key WHERE domain = $1 AND access = $2`, domain, access))
}

func insertKey(ctx context.Context, tx *db.Tx, k *Key, slot int, sealed []byte) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO identity_key (access, domain, user_id, slot, sealed, active, description, created_at)
		VALUES ($1, $2, $3, $4, $5, 1, $6, $7) ON CONFLICT DO NOTHING`,
		k.Access, k.DomainID, k.UserID, slot, sealed, k.Description, db.Micros(tx.Real))
	return n == 1, err
}

func updateKey(ctx context.Context, tx *db.Tx, k *Key) error {
	_, err := tx.Exec(ctx, `UPDATE identity_key SET active = $1, description = $2 WHERE domain = $3 AND access = $4`,
		db.Bool(k.Active), k.Description, k.DomainID, k.Access)
	return err
}

func deleteKey(ctx context.Context, tx *db.Tx, domain, access string) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM identity_key WHERE domain = $1 AND access = $2`, domain, access)
	return n == 1, err
}

func insertTemporary(ctx context.Context, tx *db.Tx, access, domain, user string, sealed, token []byte, expires time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_temporary (access, domain, user_id, sealed, token, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6)`, access, domain, user, sealed, token, db.Micros(expires))
	return err
}

func putPolicy(ctx context.Context, tx *db.Tx, domain, principal, name, statements string) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_policy (domain, principal, name, statements) VALUES ($1, $2, $3, $4)
		ON CONFLICT (domain, principal, name) DO UPDATE SET statements = excluded.statements`, domain, principal, name, statements)
	return err
}

func insertGroup(ctx context.Context, tx *db.Tx, domain, id, name string) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO identity_group (domain, id, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, domain, id, name)
	return n == 1, err
}

func insertMember(ctx context.Context, tx *db.Tx, domain, group, user string) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_member (domain, group_id, user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, domain, group, user)
	return err
}

func setDomainEnabled(ctx context.Context, tx *db.Tx, id string, enabled bool) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE identity_domain SET enabled = $1 WHERE id = $2`, db.Bool(enabled), id)
	return n == 1, err
}

// someSealed are a few access keys with their sealed secrets.
func someSealed(ctx context.Context, r db.Reader) (map[string][]byte, error) {
	rows, err := r.Query(ctx, `SELECT access, sealed FROM identity_key ORDER BY access LIMIT 3`)
	if err != nil {
		return nil, fmt.Errorf("read access keys: %w", err)
	}
	defer rows.Close()
	out := map[string][]byte{}
	for rows.Next() {
		var access string
		var sealed []byte
		if err := rows.Scan(&access, &sealed); err != nil {
			return nil, fmt.Errorf("read access keys: %w", err)
		}
		out[access] = sealed
	}
	return out, rows.Err()
}
