// Package cloud holds the catalogue that purser ships: a real-looking cloud whose prices are invented. It owns the
// files only; what they mean is the catalog room's (internal/catalog/file.go, catalogue.schema.json).
package cloud

import "embed"

// Files are the catalogue's YAML files.
//
//go:embed *.yaml services/*.yaml
var Files embed.FS
