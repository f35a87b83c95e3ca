// Command bom writes the bill of materials of a Go binary: the modules that are linked into it, as CycloneDX 1.6 in JSON.
// It reads what the linker put into the binary, so it names what is there and nothing else.
package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
)

type component struct {
	Type    string `json:"type"`
	Ref     string `json:"bom-ref,omitempty"`
	Name    string `json:"name"`
	Version string `json:"version"`
	URL     string `json:"purl,omitempty"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type bill struct {
	Format   string `json:"bomFormat"`
	Spec     string `json:"specVersion"`
	Version  int    `json:"version"`
	Metadata struct {
		Component  component  `json:"component"`
		Properties []property `json:"properties"`
	} `json:"metadata"`
	Components []component `json:"components"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: bom BINARY VERSION")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "bom:", err)
		os.Exit(1)
	}
}

func write(binary, version string) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	out := bill{Format: "CycloneDX", Spec: "1.6", Version: 1}
	out.Metadata.Component = component{Type: "application", Ref: filepath.Base(binary), Name: "purser", Version: version}
	out.Metadata.Properties = []property{}
	for _, s := range info.Settings {
		if s.Key == "GOOS" || s.Key == "GOARCH" || s.Key == "CGO_ENABLED" {
			out.Metadata.Properties = append(out.Metadata.Properties, property{Name: "go:" + s.Key, Value: s.Value})
		}
	}
	out.Components = []component{{Type: "library", Ref: "pkg:golang/std@" + info.GoVersion, Name: "std", Version: info.GoVersion, URL: "pkg:golang/std@" + info.GoVersion}}
	for _, m := range info.Deps {
		out.Components = append(out.Components, of(m))
	}
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

// of is a module as it was linked. Go's own sum of it is of its list of files, no hash that the form knows: it is left out.
func of(m *debug.Module) component {
	if m.Replace != nil {
		m = m.Replace
	}
	url := "pkg:golang/" + m.Path + "@" + m.Version
	return component{Type: "library", Ref: url, Name: m.Path, Version: m.Version, URL: url}
}
