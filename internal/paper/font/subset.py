"""Makes the two fonts that papers are printed with from Noto Sans SC (SIL OFL 1.1): the characters of GB 2312, of Latin,
Greek and Cyrillic, and of the shipped catalogue; without hints and layout tables, on a grid of 400 units, renamed.

    pip install fonttools zstandard
    npm pack @expo-google-fonts/noto-sans-sc@0.4.3 && tar xzf expo-google-fonts-noto-sans-sc-0.4.3.tgz
    python subset.py package
"""
import pathlib
import sys

import zstandard
from fontTools import subset
from fontTools.ttLib.scaleUpem import scale_upem

here = pathlib.Path(__file__).parent
root = here.parents[2]


def gb2312(first, last):
    for hi in range(first, last + 1):
        for lo in range(0xA1, 0xFF):
            try:
                yield bytes([hi, lo]).decode("gb2312")
            except UnicodeDecodeError:
                pass


latin = {chr(c) for a, b in [
    (0x20, 0x7F), (0xA0, 0x180), (0x370, 0x400), (0x400, 0x460), (0x2010, 0x2028), (0x2030, 0x2040), (0x20A0, 0x20C0),
    (0x2100, 0x2123), (0x25A0, 0x25A2), (0x3000, 0x3018), (0xFF00, 0xFF5F)] for c in range(a, b)}
ours = set("".join(p.read_text() for p in [*root.glob("cloud/**/*.yaml"), *root.glob("internal/invoice/*.go")]))
chinese = set(gb2312(0xA1, 0xA3)) | set(gb2312(0xB0, 0xF7))


def make(source, characters, name, style):
    o = subset.Options()
    o.hinting, o.layout_features, o.name_IDs, o.notdef_outline, o.glyph_names = False, [], [0, 1, 2, 3, 4, 5, 6, 13, 14], True, False
    o.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "vhea", "vmtx", "VORG", "STAT", "DSIG", "gasp", "prep", "fpgm", "cvt "]
    font = subset.load_font(source, o)
    s = subset.Subsetter(o)
    s.populate(unicodes=[ord(c) for c in characters])
    s.subset(font)
    scale_upem(font, 400)
    for record in font["name"].names:
        new = {1: "Purser Paper", 3: f"Purser Paper {style}", 4: f"Purser Paper {style}", 6: f"PurserPaper-{style}"}.get(record.nameID)
        if new:
            record.string = new
    font["head"].modified = font["head"].created
    font.recalcTimestamp = False
    plain = here / f"{name}.ttf"
    font.save(plain)
    data = plain.read_bytes()
    plain.unlink()
    packed = zstandard.ZstdCompressor(level=22).compress(data)
    (here / f"{name}.ttf.zst").write_bytes(packed)
    print(f"{name}: {len(font.getGlyphOrder())} glyphs, {len(data)} bytes, packed {len(packed)}")


package = pathlib.Path(sys.argv[1])
make(package / "400Regular/NotoSansSC_400Regular.ttf", latin | chinese | ours, "regular", "Regular")
make(package / "700Bold/NotoSansSC_700Bold.ttf", latin | ours, "bold", "Bold")
(here / "OFL.txt").write_text((package / "LICENSE_FONT").read_text())
