package project

import "strings"

// Short names of resource types, as enterprise project management has them, by the catalogue's code. Others are called by
// what follows typePrefix.
var short = map[string]string{
	"hws.resource.type.vm":     "ecs",
	"hws.resource.type.volume": "disk",
	"hws.resource.type.ip":     "eip",
	"hws.resource.type.obs":    "bucket",
	"hws.resource.type.pm":     "bms",
}

// elsewhere are the names of short types in other services.
var elsewhere = map[string]string{
	"ecs": "ecs.cloudservers", "disk": "evs.volumes", "eip": "vpc.publicips", "bandwidth": "vpc.bandwidths", "bucket": "obs.buckets", "bms": "bms.servers",
}

const typePrefix = "hws.resource.type."

// ShortType is the short name of a resource type of the catalogue.
func ShortType(code string) string {
	if name, ok := short[code]; ok {
		return name
	}
	return strings.TrimPrefix(code, typePrefix)
}

// Elsewhere is the name of a resource type in other services: the service's short name and the type's.
func Elsewhere(service, code string) string {
	name := ShortType(code)
	if other, ok := elsewhere[name]; ok {
		return other
	}
	return strings.ToLower(service) + "." + name
}
