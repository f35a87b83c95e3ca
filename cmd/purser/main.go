// Command purser is the business office of a cloud: catalog, prices, orders, bills, over the API that clients of
// Huawei Cloud's Operations Capability already speak. This file is only the door to the commands (internal/cli).
package main

import (
	"os"

	"github.com/purser-cloud/purser/internal/cli"
)

// version is set by the linker.
var version = "dev"

func main() { os.Exit(cli.Main(version, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
