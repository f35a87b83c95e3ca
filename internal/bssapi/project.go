package bssapi

import (
	"context"

	"github.com/purser-cloud/purser/internal/doorway"
)

// CreateEnterpriseProjectAuth opens enterprise projects to the caller's account.
func (d *Door) CreateEnterpriseProjectAuth(ctx context.Context, _ CreateEnterpriseProjectAuthRequestObject) (CreateEnterpriseProjectAuthResponseObject, error) {
	if err := d.counter.OpenProjects(ctx, doorway.CallOf(ctx)); err != nil {
		return nil, err
	}
	return CreateEnterpriseProjectAuth204Response{}, nil
}
