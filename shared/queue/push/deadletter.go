package push

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sluice-gateway/sluice/shared/queue"
)

// The attributes that the service adds to a message when it forwards it to a dead-letter topic.
const (
	DeadSubscription = "CloudPubSubDeadLetterSourceSubscription"
	DeadProject      = "CloudPubSubDeadLetterSourceSubscriptionProject"
	DeadCount        = "CloudPubSubDeadLetterSourceDeliveryCount"
	DeadPublishTime  = "CloudPubSubDeadLetterSourceTopicPublishTime"
	DeadError        = "CloudPubSubDeadLetterSourceDeliveryErrorMessage"
)

// DeadLetter is a copy of m for the dead-letter topic, with the service's attributes telling where it comes from, how often
// it was delivered and why the last delivery failed. Attributes of m that no longer fit under the limit are left out.
func DeadLetter(subscription string, m queue.Message, reason string) queue.Message {
	project, name := split(subscription)
	own := map[string]string{
		DeadSubscription: cut(name),
		DeadProject:      cut(project),
		DeadCount:        strconv.Itoa(m.Attempt),
		DeadPublishTime:  m.Published.UTC().Format(publishTime),
		DeadError:        cut(reason),
	}
	attributes := maps.Clone(own)
	for _, k := range slices.Sorted(maps.Keys(m.Attributes)) {
		if _, ours := own[k]; !ours && len(attributes) < queue.MaxAttributes {
			attributes[k] = m.Attributes[k]
		}
	}
	return queue.Message{Data: m.Data, Attributes: attributes}
}

// split takes projects/p/subscriptions/s apart; any other text is a name without a project.
func split(subscription string) (project, name string) {
	rest, ok := strings.CutPrefix(subscription, "projects/")
	if p, s, found := strings.Cut(rest, "/subscriptions/"); ok && found {
		return p, s
	}
	return "", subscription
}

// cut shortens text to what an attribute may hold, at a character's border.
func cut(text string) string {
	text = strings.ToValidUTF8(text, "?")
	if len(text) <= queue.MaxAttributeValue {
		return text
	}
	n := queue.MaxAttributeValue
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
