package trace

import (
	"context"
	"fmt"

	"github.com/purser-cloud/purser/internal/db"
)

const columns = `customer, id, happened_at, recorded_at, service, resource_type, name, resource_id, resource_name, rating, caller,
	caller_name, caller_domain, source, request_id, operation, code, message, request`

func insert(ctx context.Context, tx *db.Tx, l *Line) error {
	_, err := tx.Exec(ctx, `INSERT INTO trace_line (`+columns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		l.Customer, l.ID, db.Micros(l.Happened), db.Micros(l.Recorded), l.Service, l.ResourceType, l.Name, l.ResourceID, l.ResourceName, l.Rating,
		l.Caller, l.CallerName, l.CallerDomain, l.Source, l.RequestID, l.Operation, l.Code, l.Message, l.Request)
	if err != nil {
		return fmt.Errorf("record a trace: %w", err)
	}
	return nil
}

func latest(ctx context.Context, r db.Reader, customer string, limit int) ([]Line, error) {
	rows, err := r.Query(ctx, `SELECT `+columns+` FROM trace_line WHERE customer = $1 ORDER BY happened_at DESC, id DESC LIMIT $2`, customer, limit)
	if err != nil {
		return nil, fmt.Errorf("list traces: %w", err)
	}
	defer rows.Close()
	var out []Line
	for rows.Next() {
		var l Line
		var happened, recorded int64
		if err := rows.Scan(&l.Customer, &l.ID, &happened, &recorded, &l.Service, &l.ResourceType, &l.Name, &l.ResourceID, &l.ResourceName, &l.Rating,
			&l.Caller, &l.CallerName, &l.CallerDomain, &l.Source, &l.RequestID, &l.Operation, &l.Code, &l.Message, &l.Request); err != nil {
			return nil, fmt.Errorf("list traces: %w", err)
		}
		l.Happened, l.Recorded = db.TimeOf(happened), db.TimeOf(recorded)
		out = append(out, l)
	}
	return out, rows.Err()
}
