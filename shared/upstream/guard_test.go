package upstream_test

import (
	"errors"
	"testing"

	"github.com/sluice-gateway/sluice/shared/upstream"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	for address, allowed := range map[string]bool{
		"1.1.1.1:443": true, "10.0.0.5:80": true, "127.0.0.1:11434": true, "[::1]:80": true, "[2606:4700::1111]:443": true,
		"169.254.169.254:80": false, "[::ffff:169.254.169.254]:80": false, "[fe80::1%eth0]:80": false, "[fd00:ec2::254]:80": false,
		"100.100.100.200:80": false, "0.0.0.0:80": false, "[::]:80": false, "224.0.0.1:80": false, "255.255.255.255:80": false, "name:80": false,
	} {
		err := upstream.Guard("tcp", address, nil)
		if (err == nil) != allowed || (err != nil && !errors.Is(err, upstream.ErrForbiddenAddress)) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
