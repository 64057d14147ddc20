// Package gcp is Google's engine: Firestore, Pub/Sub and Cloud Storage. With the emulators' variables set it is theirs.
package gcp

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/shared/blob"
	"github.com/sluice-gateway/sluice/shared/config"
	"github.com/sluice-gateway/sluice/shared/embedded/diskblob"
	"github.com/sluice-gateway/sluice/shared/engine"
	"github.com/sluice-gateway/sluice/shared/gcp/firestorestore"
	"github.com/sluice-gateway/sluice/shared/gcp/gcsblob"
	"github.com/sluice-gateway/sluice/shared/gcp/pubsubqueue"
)

// publishDelay is how long a message waits for others: hardly, as what comes in numbers is grouped before.
const publishDelay = time.Millisecond

// Open opens the engine that the environment describes. It does not wait for the network.
func Open(ctx context.Context, c config.Cloud) (engine.Engine, error) {
	bucket, err := openBucket(ctx, c.Bucket)
	if err != nil {
		return engine.Engine{}, err
	}
	documents, err := firestorestore.Open(ctx, firestorestore.Config{Project: c.Project, Database: c.Database}, engine.Collections()...)
	if err != nil {
		return engine.Engine{}, err
	}
	messages, err := pubsubqueue.New(ctx, c.Project, pubsubqueue.WithDelay(publishDelay))
	if err != nil {
		return engine.Engine{}, errors.Join(err, documents.Close())
	}
	return engine.Engine{
		Store: documents, Queue: messages, Events: messages, Bucket: bucket,
		Close: func() error { return errors.Join(messages.Close(), documents.Close()) },
	}, nil
}

// openBucket opens gs://name, or file:///folder, which stands in for it beside the emulators.
func openBucket(ctx context.Context, address string) (blob.Bucket, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, fmt.Errorf("bucket: %w", err)
	case u.Scheme == "file":
		return diskblob.Open(u.Path)
	case u.Scheme == "gs" && u.Host != "" && strings.Trim(u.Path, "/") == "":
		client, err := gcsblob.Authorized(ctx)
		if err != nil {
			return nil, fmt.Errorf("bucket: %w", err)
		}
		return gcsblob.New(gcsblob.Config{Bucket: u.Host, Client: client})
	default:
		return nil, fmt.Errorf("bucket must be gs://name or file:///folder, not %q", address)
	}
}
