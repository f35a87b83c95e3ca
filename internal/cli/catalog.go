package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/purser-cloud/purser/cloud"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/operation"
)

// shipped names the catalogue inside the program instead of a folder.
const shipped = "shipped"

func (d *desk) catalog() *cobra.Command {
	return group("catalog", "Import, export and check the catalogue",
		`The catalogue is a folder of YAML files: units, regions, services, resource types, products and their dated prices.
An import reads all of it, checks it as one whole and takes all or nothing; a running server sees it within a second.
The word "shipped" in place of a folder stands for the catalogue inside this program.`,
		d.catalogImport(), d.catalogExport(), d.catalogCheck())
}

func folderOf(name string) (fs.FS, error) {
	if name == shipped {
		return cloud.Files, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("the catalogue's folder: %w", err)
	}
	if !info.IsDir() {
		return nil, usageError{fmt.Errorf("%s is not a folder", name)}
	}
	return os.DirFS(name), nil
}

func (d *desk) catalogImport() *cobra.Command {
	var dry, rewrite bool
	c := &cobra.Command{
		Use: "import FOLDER", Short: "Replace the catalogue by the files of a folder", Args: exactly(1),
		Long: `Reads every .yaml file of the folder and makes the catalogue what they say, whole or not at all. Products that are
no longer there go off sale. A price that is in effect cannot change: add an entry with a later "from".`,
		RunE: func(c *cobra.Command, args []string) error {
			folder, err := folderOf(args[0])
			if err != nil {
				return err
			}
			return d.with(c.Context(), func(h *house.House) error {
				call := operation.LocalOperator("ImportCatalogue", time.Now())
				changes, err := h.Counter.ImportCatalogue(c.Context(), call, func() (*catalog.Content, error) { return catalog.Read(folder) }, dry, rewrite)
				if err != nil {
					return err
				}
				d.printChanges(changes, dry)
				return nil
			})
		},
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "say what would change, keep nothing")
	c.Flags().BoolVar(&rewrite, "rewrite-history", false, "let prices that are in effect change (bills of the past are not recomputed)")
	return c
}

func (d *desk) printChanges(changes *catalog.Changes, dry bool) {
	for _, l := range changes.Lines {
		fmt.Fprintln(d.out, l)
	}
	if more := changes.Added + changes.Changed + changes.Removed - len(changes.Lines); more > 0 {
		fmt.Fprintf(d.out, "… and %d more\n", more)
	}
	switch {
	case changes.Nothing():
		fmt.Fprintln(d.out, "nothing changes")
	case dry:
		fmt.Fprintf(d.out, "would add %d, change %d, remove %d; nothing was kept\n", changes.Added, changes.Changed, changes.Removed)
	default:
		fmt.Fprintf(d.out, "added %d, changed %d, removed %d; the catalogue has version %d\n", changes.Added, changes.Changed, changes.Removed, changes.Version)
	}
}

func (d *desk) catalogExport() *cobra.Command {
	return &cobra.Command{
		Use: "export FOLDER", Short: "Write the catalogue as files", Args: exactly(1),
		Long: "Writes the catalogue as YAML files that import takes back without a change. The folder must be new or empty.",
		RunE: func(c *cobra.Command, args []string) error {
			if some, err := os.ReadDir(args[0]); err == nil && len(some) > 0 {
				return usageError{fmt.Errorf("%s is not empty: nothing was written", args[0])}
			} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return d.with(c.Context(), func(h *house.House) error {
				version, files, err := h.Counter.ExportCatalogue(c.Context(), operation.LocalOperator("ExportCatalogue", time.Now()))
				if err != nil {
					return err
				}
				for _, f := range files {
					path := filepath.Join(args[0], filepath.FromSlash(f.Name))
					if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
						return err
					}
					if err := os.WriteFile(path, []byte(f.Text), 0o644); err != nil {
						return err
					}
				}
				fmt.Fprintf(d.out, "wrote version %d of the catalogue: %d files in %s\n", version, len(files), args[0])
				return nil
			})
		},
	}
}

func (d *desk) catalogCheck() *cobra.Command {
	return &cobra.Command{
		Use: "check FOLDER", Short: "Check files without a store", Args: exactly(1),
		Long: "Reads and checks the files of a folder and says how much they hold, or everything that is wrong with them.",
		RunE: func(_ *cobra.Command, args []string) error {
			folder, err := folderOf(args[0])
			if err != nil {
				return err
			}
			content, err := catalog.Read(folder)
			var wrong *catalog.ProblemsError
			if errors.As(err, &wrong) {
				f := fault.New(fault.Invalid, "PURSER.0201", "the files do not make a catalogue:")
				f.Detail = map[string]any{"problems": wrong.Problems}
				return f
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(d.out, "good: %d services, %d resource types, %d products, %d regions, %d units\n",
				len(content.Services), len(content.ResourceTypes), len(content.Products), len(content.Regions), len(content.Units))
			return nil
		},
	}
}
