package project

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

func insertOpened(ctx context.Context, tx *db.Tx, customer string) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO project_opened (customer, opened_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`, customer, db.Micros(tx.Now))
	if err != nil {
		return false, fmt.Errorf("open enterprise projects: %w", err)
	}
	return n == 1, nil
}

func opened(ctx context.Context, r db.Reader, customer string) (bool, error) {
	var n int64
	if err := r.QueryRow(ctx, `SELECT count(*) FROM project_opened WHERE customer = $1`, customer).Scan(&n); err != nil {
		return false, fmt.Errorf("look whether enterprise projects are open: %w", err)
	}
	return n > 0, nil
}

const columns = `customer, id, name, description, kind, enabled, created_at, updated_at, deleted_at`

func scan(row db.Row) (p Project, err error) {
	var enabled, created, updated, deleted int64
	err = row.Scan(&p.Customer, &p.ID, &p.Name, &p.Description, &p.Kind, &enabled, &created, &updated, &deleted)
	p.Enabled, p.Created, p.Updated, p.Deleted = enabled == 1, db.TimeOf(created), db.TimeOf(updated), db.TimeOf(deleted)
	return p, err
}

func read(ctx context.Context, r db.Reader, customer, id string) (Project, error) {
	return scan(r.QueryRow(ctx, `SELECT `+columns+` FROM project_entry WHERE customer = $1 AND id = $2 AND deleted_at = 0`, customer, id))
}

// entries lists a customer's projects that are not deleted, without the default one.
func entries(ctx context.Context, r db.Reader, customer string) ([]Project, error) {
	rows, err := r.Query(ctx, `SELECT `+columns+` FROM project_entry WHERE customer = $1 AND deleted_at = 0 ORDER BY id`, customer)
	if err != nil {
		return nil, fmt.Errorf("list enterprise projects: %w", err)
	}
	defer rows.Close()
	var out []Project
	for rows.Next() {
		p, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("list enterprise projects: %w", err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

func names(ctx context.Context, r db.Reader, customer string) (map[string]string, error) {
	rows, err := r.Query(ctx, `SELECT id, name FROM project_entry WHERE customer = $1`, customer)
	if err != nil {
		return nil, fmt.Errorf("name enterprise projects: %w", err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var id, name string
		if err := rows.Scan(&id, &name); err != nil {
			return nil, fmt.Errorf("name enterprise projects: %w", err)
		}
		out[id] = name
	}
	return out, rows.Err()
}

func insert(ctx context.Context, tx *db.Tx, p *Project) error {
	_, err := tx.Exec(ctx, `INSERT INTO project_entry (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		p.Customer, p.ID, p.Name, p.Description, p.Kind, db.Bool(p.Enabled), db.Micros(p.Created), db.Micros(p.Updated), db.Micros(p.Deleted))
	if err != nil {
		return fmt.Errorf("keep an enterprise project: %w", err)
	}
	return nil
}

func update(ctx context.Context, tx *db.Tx, p *Project) error {
	_, err := tx.Exec(ctx, `UPDATE project_entry SET name = $1, description = $2, kind = $3, enabled = $4, updated_at = $5, deleted_at = $6
		WHERE customer = $7 AND id = $8`, p.Name, p.Description, p.Kind, db.Bool(p.Enabled), db.Micros(p.Updated), db.Micros(p.Deleted), p.Customer, p.ID)
	if err != nil {
		return fmt.Errorf("change enterprise project %s: %w", p.ID, err)
	}
	return nil
}

const moveColumns = `customer, id, resource, resource_name, resource_type, region, cloud_project, origin, origin_name, target, target_name, associated, user_name, moved_at`

func insertMove(ctx context.Context, tx *db.Tx, m *Move) error {
	_, err := tx.Exec(ctx, `INSERT INTO project_move (`+moveColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		m.Customer, m.ID, m.Resource, m.Name, m.Type, m.Region, m.CloudProject, m.Origin, m.OriginName, m.Target, m.TargetName,
		db.Bool(m.Associated), m.User, db.Micros(m.At))
	if err != nil {
		return fmt.Errorf("keep the move of %s: %w", m.Resource, err)
	}
	return nil
}

// moves composes its text from fixed pieces; every value is bound.
func moves(ctx context.Context, r db.Reader, customer string, q *MoveQuery, offset, limit int) ([]Move, error) {
	text, args := `SELECT `+moveColumns+` FROM project_move WHERE customer = $1`, []any{customer}
	also := func(on bool, condition string, value any) {
		if on {
			args = append(args, value)
			text += condition + strconv.Itoa(len(args))
		}
	}
	also(!q.From.IsZero(), ` AND moved_at >= $`, db.Micros(q.From))
	also(!q.To.IsZero(), ` AND moved_at < $`, db.Micros(q.To))
	also(q.Resource != "", ` AND resource = $`, q.Resource)
	text += db.Within("origin", q.Within, &args) + db.Within("target", q.Within, &args) + ` ORDER BY moved_at DESC, id DESC`
	also(true, ` LIMIT $`, int64(limit))
	also(true, ` OFFSET $`, int64(offset))
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("list moves: %w", err)
	}
	defer rows.Close()
	var out []Move
	for rows.Next() {
		var m Move
		var associated, at int64
		if err := rows.Scan(&m.Customer, &m.ID, &m.Resource, &m.Name, &m.Type, &m.Region, &m.CloudProject, &m.Origin, &m.OriginName, &m.Target,
			&m.TargetName, &associated, &m.User, &at); err != nil {
			return nil, fmt.Errorf("list moves: %w", err)
		}
		m.Associated, m.At = associated == 1, db.TimeOf(at)
		out = append(out, m)
	}
	return out, rows.Err()
}

const spendingText = `SELECT b.customer, b.project, b.budget, b.quota, b.shares, b.changed_at, coalesce(s.spent, 0), coalesce(s.alerted, 0),
	CASE WHEN s.customer IS NULL THEN 0 ELSE 1 END
	FROM project_budget b LEFT JOIN project_spent s ON s.customer = b.customer AND s.project = b.project AND s.cycle = $1
	WHERE b.customer = $2`

func scanSpending(row db.Row, cycle period.Cycle) (s Spending, err error) {
	var budget, quota, spent, changed, kept int64
	var shares string
	err = row.Scan(&s.Customer, &s.Project, &budget, &quota, &shares, &changed, &spent, &s.Alerted, &kept)
	s.Amount, s.Quota, s.Spent, s.Changed, s.kept = money.Amount(budget), money.Amount(quota), money.Amount(spent), db.TimeOf(changed), kept == 1
	s.Cycle = cycle
	for text := range strings.SplitSeq(shares, ",") {
		if n, bad := strconv.Atoi(text); bad == nil {
			s.Shares = append(s.Shares, n)
		}
	}
	return s, err
}

// spendingOf reads the budget of a project with what the cycle has cost; false: it has none.
func spendingOf(ctx context.Context, r db.Reader, customer, project string, cycle period.Cycle) (Spending, bool, error) {
	s, err := scanSpending(r.QueryRow(ctx, spendingText+` AND b.project = $3`, int64(cycle), customer, project), cycle)
	if errors.Is(err, db.ErrNoRows) {
		return s, false, nil
	}
	if err != nil {
		return s, false, fmt.Errorf("read the budget of %s: %w", project, err)
	}
	return s, true, nil
}

func budgeted(ctx context.Context, r db.Reader, customer string) ([]string, error) {
	rows, err := r.Query(ctx, `SELECT project FROM project_budget WHERE customer = $1 ORDER BY project`, customer)
	if err != nil {
		return nil, fmt.Errorf("look for budgets: %w", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("look for budgets: %w", err)
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

func spendings(ctx context.Context, r db.Reader, customer string, cycle period.Cycle) ([]Spending, error) {
	rows, err := r.Query(ctx, spendingText+` ORDER BY b.project`, int64(cycle), customer)
	if err != nil {
		return nil, fmt.Errorf("list budgets: %w", err)
	}
	defer rows.Close()
	var out []Spending
	for rows.Next() {
		s, err := scanSpending(rows, cycle)
		if err != nil {
			return nil, fmt.Errorf("list budgets: %w", err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// setSpent writes what a cycle has cost when it is still what it was read as; false: it is not.
func setSpent(ctx context.Context, tx *db.Tx, s *Spending, was money.Amount) (bool, error) {
	var n int64
	var err error
	if s.kept {
		n, err = tx.Exec(ctx, `UPDATE project_spent SET spent = $1, alerted = $2 WHERE customer = $3 AND project = $4 AND cycle = $5 AND spent = $6`,
			int64(s.Spent), int64(s.Alerted), s.Customer, s.Project, int64(s.Cycle), int64(was))
	} else {
		n, err = tx.Exec(ctx, `INSERT INTO project_spent (customer, project, cycle, spent, alerted) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			s.Customer, s.Project, int64(s.Cycle), int64(s.Spent), int64(s.Alerted))
	}
	if err != nil {
		return false, fmt.Errorf("count what %s has cost: %w", s.Project, err)
	}
	return n == 1, nil
}

func putBudget(ctx context.Context, tx *db.Tx, b *Budget) error {
	shares := make([]string, len(b.Shares))
	for i, n := range b.Shares {
		shares[i] = strconv.Itoa(n)
	}
	_, err := tx.Exec(ctx, `INSERT INTO project_budget (customer, project, budget, quota, shares, changed_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (customer, project) DO UPDATE SET budget = excluded.budget, quota = excluded.quota, shares = excluded.shares, changed_at = excluded.changed_at`,
		b.Customer, b.Project, int64(b.Amount), int64(b.Quota), strings.Join(shares, ","), db.Micros(b.Changed))
	if err != nil {
		return fmt.Errorf("keep the budget of %s: %w", b.Project, err)
	}
	return nil
}

// dropBudget forgets a budget and what was counted for it; another one counts anew from the fee records.
func dropBudget(ctx context.Context, tx *db.Tx, customer, project string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM project_budget WHERE customer = $1 AND project = $2`, customer, project); err != nil {
		return fmt.Errorf("drop the budget of %s: %w", project, err)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM project_spent WHERE customer = $1 AND project = $2`, customer, project); err != nil {
		return fmt.Errorf("drop the budget of %s: %w", project, err)
	}
	return nil
}
