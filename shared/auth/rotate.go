package auth

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/audit"
	"github.com/sluice-gateway/sluice/shared/field"
	"github.com/sluice-gateway/sluice/shared/gateway"
	"github.com/sluice-gateway/sluice/shared/period"
	"github.com/sluice-gateway/sluice/shared/store"
)

// maxFormer is how many former secrets of a key may work at once.
const maxFormer = 10

// Regenerate gives a key a new secret, which is returned this once, and changes its fields as Update does. The key stays what it
// is: its spend, limits and owner are its ID's. The former secret works until grace_period ends, if the request has one. Of two
// that rotate the same secret one gets KindConflict.
func (m *Manager) Regenerate(ctx context.Context, by audit.By, name string, request field.Request) (gateway.Secret, *Key, error) {
	if raw, found := request["new_master_key"]; found && !isNull(raw) {
		return "", nil, gateway.Invalid("new_master_key", "The master key is set where the gateway is deployed.")
	}
	secret, err := secretFrom(request, "new_key")
	if err != nil {
		return "", nil, err
	}
	grace, err := graceOf(request)
	if err != nil {
		return "", nil, err
	}
	given, err := m.pick(by, request, false)
	if err != nil {
		return "", nil, err
	}
	seen, err := m.Info(ctx, name)
	if err != nil {
		return "", nil, err
	}
	k, err := m.change(ctx, by, name, "regenerated", request, func(w *work, k *Key) error {
		if err := w.update(k, given); err != nil {
			return err
		}
		if k.Hash != seen.Hash || !names(name, k) {
			return gateway.Errorf(gateway.KindConflict, "The key was regenerated at the same time, or this is not its current secret.")
		}
		if err := w.mayHold(k); err != nil {
			return err
		}
		return k.rotate(secret, grace, w.now)
	})
	if errors.Is(err, store.ErrExists) {
		err = gateway.Invalid("new_key", "Key already exists.")
	}
	if err != nil {
		return "", nil, err
	}
	return secret, k, nil
}

func graceOf(request field.Request) (period.Period, error) {
	raw := request["grace_period"]
	if isNull(raw) {
		return period.Period{}, nil
	}
	var s string
	if err := field.Duration("grace_period", raw); err != nil {
		return period.Period{}, err
	}
	_ = json.Unmarshal(raw, &s)
	return period.Parse(s)
}

// names reports whether a caller who says name means the key as it is now: by its ID, its current secret or the hash of that.
func names(name string, k *Key) bool {
	hash, err := hashOf(name)
	return err == nil && (hash == k.Hash || hash == k.ID && !strings.HasPrefix(name, keyPrefix))
}

// mayHold tells whether the caller may have the key's secret: a key that is allowed more than theirs would make them more.
func (w *work) mayHold(k *Key) error {
	p := w.by.Principal
	if p.Admin || k.ID == p.KeyHash {
		return nil
	}
	if k.User != "" && k.User != p.UserID {
		if err := w.mayStandFor(k, false); err != nil {
			return err
		}
	}
	return w.within(k, nil, false)
}

func (k *Key) rotate(secret gateway.Secret, grace period.Period, now time.Time) error {
	k.Former = slices.DeleteFunc(slices.Clone(k.Former), func(f Former) bool { return now.Unix() >= f.Until })
	if grace != (period.Period{}) {
		k.Former = append(k.Former, Former{k.Hash, grace.After(now).Unix()})
	}
	if len(k.Former) > maxFormer {
		return gateway.Invalid("grace_period", "At most %d former secrets of a key may work at once.", maxFormer)
	}
	k.Hash, k.Name = Hash(secret), name(secret)
	k.Rotations, k.RotatedAt = k.Rotations+1, now.UnixMicro()
	return nil
}
