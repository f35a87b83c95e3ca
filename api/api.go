// Package api holds the contracts: by hand, first, and whole. Servers, clients and tables are generated from them;
// at run time they are only shown, never parsed.
package api

import "embed"

// Files are the contracts.
//
//go:embed *.yaml
var Files embed.FS

// Names are the contracts in the order in which they are shown.
var Names = []string{"bss.yaml", "iam.yaml", "eps.yaml", "cts.yaml", "purser.yaml"}
