// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The bondkit authors

package ethtooltest

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Releases for Config.Release, which are those of kernels on which package ethtool is
// tested.
const (
	Release510 = "5.10.0-36-amd64"
	Release61  = "6.1.0-40-amd64"
	Release612 = "6.12.95+deb13-amd64"
	Release72  = "7.2.0"
)

// version is the numbers of a release.
type version struct{ major, minor, patch int }

// What came with which kernel.
var (
	versionEthtool     = version{5, 6, 0}  // the family, and LINKINFO and LINKSTATE in it
	versionPermAddress = version{5, 6, 0}  // IFLA_PERM_ADDRESS
	versionPrivFlags   = version{5, 7, 0}  // PRIVFLAGS and FEATURES
	versionExtState    = version{5, 9, 0}  // ETHTOOL_A_LINKSTATE_EXT_STATE
	versionParentDev   = version{5, 14, 0} // IFLA_PARENT_DEV_NAME
	versionAwaySilent  = version{5, 15, 0} // no text for a device that is away
	versionDriverName  = version{6, 2, 0}  // devlink tells the driver's name without its help
	versionDevlinkPort = version{6, 2, 0}  // IFLA_DEVLINK_PORT
	versionDownCount   = version{6, 3, 0}  // ETHTOOL_A_LINKSTATE_EXT_DOWN_CNT
	versionNarrowDumps = version{6, 6, 0}  // devlink dumps of one device
)

// parseVersion reads what uname -r prints: two or three numbers, and anything behind
// them that does not look like more of the last.
func parseVersion(release string) (version, error) {
	var v version
	rest := release
	for i, n := range []*int{&v.major, &v.minor, &v.patch} {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		number, err := strconv.Atoi(rest[:digits])
		if err != nil {
			return version{}, fmt.Errorf("release %q does not begin with two numbers", release)
		}
		*n, rest = number, rest[digits:]
		if !strings.HasPrefix(rest, ".") {
			if i == 0 || rest != "" && !strings.ContainsAny(rest[:1], "-+") {
				return version{}, fmt.Errorf("release %q does not begin with two numbers", release)
			}
			break
		}
		rest = rest[1:]
	}
	return v, nil
}

// has reports whether a kernel of version v has what came with since.
func (v version) has(since version) bool {
	return cmp.Or(cmp.Compare(v.major, since.major), cmp.Compare(v.minor, since.minor), cmp.Compare(v.patch, since.patch)) >= 0
}

// within reports whether v is in a range of releases of which either end may be empty. The
// last is outside.
func (v version) within(since, until string) bool {
	return (since == "" || v.has(mustVersion(since))) && (until == "" || !v.has(mustVersion(until)))
}

func mustVersion(release string) version {
	v, err := parseVersion(release)
	if err != nil {
		panic("ethtooltest: " + err.Error())
	}
	return v
}
