package browser

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// readmePictures are the pictures of the README. Each is as much of a page as fits into its height.
var readmePictures = []struct {
	name, path   string
	lang, theme  string
	wide, high   int
	operator     bool
	first, ready string // what is pressed then, and what must be there: selectors
}{
	{name: "overview", path: "/", wide: 1280, high: 960},
	{name: "bills", path: "/bills", wide: 1280, high: 960},
	{name: "pay", path: "/orders?status=6", first: "tbody th a", wide: 1280, high: 980},
	{name: "calculator", path: "/calculator?text=s3.medium.2.linux&spec=s3.medium.2.linux", lang: "zh", theme: "dark", wide: 1280, high: 800},
	{name: "traces", path: "/traces", wide: 1280, high: 904},
	{name: "reference", path: "/docs/", wide: 1200, high: 1000, ready: "main h1, h1, h2"},
	{name: "customer", path: "/customer?id=%s", operator: true, wide: 1280, high: 860},
}

// The README's pictures, small and cropped, into the folder of PURSER_README_PICTURES; test/pictures does that.
func walkReadmePictures(t *testing.T, c *cloud) {
	folder := os.Getenv("PURSER_README_PICTURES")
	if folder == "" {
		t.Skip("no pictures for the README are wanted")
	}
	customer, operator := open(t, c.Endpoint), open(t, c.Endpoint)
	customer.signIn(c.Customers[0])
	operator.signIn(c.Operator)
	for _, p := range readmePictures {
		b := customer
		if p.operator {
			b = operator
		}
		lang, theme := p.lang, p.theme
		if lang == "" {
			lang, theme = "en", "light"
		}
		b.look(lang, theme)
		b.do(chromedp.EmulateViewport(int64(p.wide), int64(p.high)))
		b.goTo(strings.ReplaceAll(p.path, "%s", c.Customers[0].DomainID))
		if p.first != "" {
			b.press(p.first)
		}
		if p.ready != "" {
			b.do(chromedp.WaitVisible(p.ready))
		}
		if err := os.WriteFile(filepath.Join(folder, p.name+".png"), small(t, b.shot(), p.wide, p.high), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// coloursMost is how many colours a picture keeps: a page has few, and the rest are edges of letters.
const coloursMost = 256

// small crops a picture from its upper left corner and keeps its most frequent colours; others become the nearest of them.
func small(t *testing.T, shot []byte, wide, high int) []byte {
	t.Helper()
	whole, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	at := image.Rect(0, 0, wide, high).Intersect(whole.Bounds())
	count := map[color.RGBA]int{}
	for y := at.Min.Y; y < at.Max.Y; y++ {
		for x := at.Min.X; x < at.Max.X; x++ {
			count[color.RGBAModel.Convert(whole.At(x, y)).(color.RGBA)]++
		}
	}
	out := image.NewPaletted(at, palette(count))
	nearest := map[color.RGBA]uint8{}
	for y := at.Min.Y; y < at.Max.Y; y++ {
		for x := at.Min.X; x < at.Max.X; x++ {
			one := color.RGBAModel.Convert(whole.At(x, y)).(color.RGBA)
			i, known := nearest[one]
			if !known {
				i = uint8(out.Palette.Index(one))
				nearest[one] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	var text bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&text, out); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// palette are the most frequent colours.
func palette(count map[color.RGBA]int) color.Palette {
	all := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var out color.Palette
	for _, one := range all[:min(len(all), coloursMost)] {
		out = append(out, one)
	}
	return out
}
