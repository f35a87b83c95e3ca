package period

import "fmt"

// Unit is a length of calendar time: that of a term, or of the window in which tiered usage accumulates.
type Unit uint8

// The units. None stands for "no window"; no term has it.
const (
	None Unit = iota
	Hour
	Day
	Month
	Year
)

var unitNames = [...]string{None: "none", Hour: "hour", Day: "day", Month: "month", Year: "year"}

// period_type of the contract (api.md 2.2); None has none.
var unitCodes = [...]int32{None: -1, Hour: 4, Day: 0, Month: 2, Year: 3}

// String is the name that catalogue files use.
func (u Unit) String() string {
	if int(u) < len(unitNames) {
		return unitNames[u]
	}
	return fmt.Sprintf("unknown(%d)", uint8(u))
}

// MarshalText writes the name.
func (u Unit) MarshalText() ([]byte, error) {
	if int(u) >= len(unitNames) {
		return nil, fmt.Errorf("period: no name for unit %d", uint8(u))
	}
	return []byte(unitNames[u]), nil
}

// UnmarshalText reads the name.
func (u *Unit) UnmarshalText(text []byte) error {
	for i, name := range unitNames {
		if name == string(text) {
			*u = Unit(i)
			return nil
		}
	}
	return fmt.Errorf("period: unknown unit %q", text)
}

// Code is the period_type of the contract: 0 day, 2 month, 3 year, 4 hour; -1 for None.
func (u Unit) Code() int32 {
	if int(u) < len(unitCodes) {
		return unitCodes[u]
	}
	return -1
}

// UnitOf is the unit of a period_type of the contract; false when there is no such type.
func UnitOf(code int32) (Unit, bool) {
	switch code {
	case 4:
		return Hour, true
	case 0:
		return Day, true
	case 2:
		return Month, true
	case 3:
		return Year, true
	}
	return None, false
}
