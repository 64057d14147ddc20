package upstream

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// ErrForbiddenAddress is what a dial to an address that no provider can have fails with.
var ErrForbiddenAddress = errors.New("the provider's address is not allowed")

// forbidden ranges hold metadata services, this network's own plumbing, or nobody. Private and loopback addresses are
// allowed: deployments come from the owner's configuration only, and many are on the owner's network.
var forbidden = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("100.100.100.200/32"),
	netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("224.0.0.0/4"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/128"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("fd00:ec2::254/128"),
	netip.MustParsePrefix("ff00::/8"),
}

// Guard refuses forbidden addresses. It is a net.Dialer's Control, called with the address that is dialled: what was
// checked is what is used, whatever a name resolves to the next time.
func Guard(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %q", ErrForbiddenAddress, address)
	}
	ip := at.Addr().Unmap().WithZone("")
	for _, prefix := range forbidden {
		if prefix.Contains(ip) {
			return fmt.Errorf("%w: %s", ErrForbiddenAddress, ip)
		}
	}
	return nil
}
