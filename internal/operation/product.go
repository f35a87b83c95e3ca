package operation

import (
	"context"
	"errors"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
)

// Browse hands the current catalogue to look, at the call's business instant. The lists of the Products API are
// the snapshot's own functions: none of them needs more than that.
func (c *Counter) Browse(ctx context.Context, call *Call, look func(shelf *catalog.Snapshot, v *db.View)) error {
	return c.read(ctx, call, func(v *db.View, _ identity.Scope) error {
		shelf, err := c.Catalogue.At(ctx, v)
		if err == nil {
			look(shelf, v)
		}
		return err
	})
}

// ExportCatalogue writes the catalogue as files. The operator's.
func (c *Counter) ExportCatalogue(ctx context.Context, call *Call) (version int64, files []catalog.Document, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		version, files, err = catalog.Export(ctx, v)
		return err
	})
	return version, files, err
}

// ImportCatalogue makes the catalogue what the files say: all or nothing. A dry run only says what would change.
// Files that are at fault are PURSER.0201 with the list of problems. The operator's.
func (c *Counter) ImportCatalogue(ctx context.Context, call *Call, read func() (*catalog.Content, error), dry, rewrite bool) (changes *catalog.Changes, err error) {
	return c.ImportCatalogueMadeFrom(ctx, call, nil, read, dry, rewrite)
}

// ImportCatalogueMadeFrom is ImportCatalogue with files that were made from a version of the catalogue (nil: whatever it is now): when
// somebody else has changed it since, nothing is taken (PURSER.0202).
func (c *Counter) ImportCatalogueMadeFrom(ctx context.Context, call *Call, version *int64, read func() (*catalog.Content, error), dry, rewrite bool) (changes *catalog.Changes, err error) {
	refused := func(err error) (*catalog.Changes, error) {
		err = catalogueFault(err)
		if !dry {
			c.Refused(ctx, call, err)
		}
		return nil, err
	}
	scope, err := c.authorise(call)
	if err != nil {
		return refused(err)
	}
	if err := operatorOnly(scope); err != nil {
		return refused(err)
	}
	content, err := read()
	if err != nil {
		return refused(err)
	}
	if dry {
		err = c.DB.View(ctx, c.instants(call), func(v *db.View) error {
			if err := sameCatalogue(ctx, v, version); err != nil {
				return err
			}
			changes, err = catalog.Plan(ctx, v, content, rewrite)
			return err
		})
		return changes, catalogueFault(err)
	}
	changes, err = write(ctx, c, call, func(tx *db.Tx, _ identity.Scope) (*catalog.Changes, error) {
		if err := sameCatalogue(ctx, tx, version); err != nil {
			return nil, err
		}
		return catalog.Import(ctx, tx, content, rewrite)
	})
	c.Catalogue.Changed()
	return changes, catalogueFault(err)
}

// sameCatalogue refuses when the catalogue is not at a version any more.
func sameCatalogue(ctx context.Context, r db.Reader, version *int64) error {
	if version == nil {
		return nil
	}
	now, err := catalog.Version(ctx, r)
	if err == nil && now != *version {
		err = fault.New(fault.Conflict, "PURSER.0202", "the catalogue has changed: the files were made from version %d, it is at %d", *version, now)
	}
	return err
}

func catalogueFault(err error) error {
	var wrong *catalog.ProblemsError
	if !errors.As(err, &wrong) {
		return err
	}
	f := fault.New(fault.Invalid, "PURSER.0201", "the files do not make a catalogue: %s", wrong.Error())
	f.Detail = map[string]any{"problems": wrong.Problems}
	return f
}
