// Package cloud owns the files of the catalogue that purser ships: regions, services, resource types, units and
// products with invented prices. It does not read or check them: what they mean is the catalog room's
// (internal/catalog, catalogue.schema.json). Invariant: the files are a catalogue without faults, and the price of a
// date that has passed is never edited; a new price is a new `prices` entry.
package cloud

import "embed"

// Files are the catalogue's YAML files.
//
//go:embed *.yaml services/*.yaml
var Files embed.FS
