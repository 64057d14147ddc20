package event

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/types"

	"github.com/sluice-gateway/sluice/shared/queue"
)

// Encode puts a CloudEvent into a message in binary mode: data as the payload, each attribute as ce-NAME. The media type
// is written in both spellings that are in use: Google's binding reads content-type, the CloudEvents SDK Content-Type.
func Encode(ce cloudevents.Event) (queue.Message, error) {
	attributes := map[string]string{
		"ce-specversion": ce.SpecVersion(),
		"ce-id":          ce.ID(),
		"ce-source":      ce.Source(),
		"ce-type":        ce.Type(),
		"ce-subject":     ce.Subject(),
		"ce-time":        ce.Time().UTC().Format("2006-01-02T15:04:05.999999999Z07:00"),
		"content-type":   ce.DataContentType(),
		"Content-Type":   ce.DataContentType(),
	}
	for name, value := range ce.Extensions() {
		text, err := types.Format(value)
		if err != nil {
			return queue.Message{}, fmt.Errorf("event %s: extension %s: %w", ce.ID(), name, err)
		}
		attributes["ce-"+name] = text
	}
	maps.DeleteFunc(attributes, func(_, value string) bool { return value == "" })
	return queue.Message{Data: ce.Data(), Attributes: attributes}, nil
}

// Decode reads a CloudEvent from a message in binary or structured mode, in either spelling of the media type.
func Decode(m queue.Message) (cloudevents.Event, error) {
	ce := cloudevents.New()
	mediaType := m.Attributes["content-type"]
	if mediaType == "" {
		mediaType = m.Attributes["Content-Type"]
	}
	if strings.HasPrefix(mediaType, "application/cloudevents+json") {
		err := json.Unmarshal(m.Data, &ce)
		return ce, err
	}
	setters := map[string]func(string){
		"ce-specversion": ce.SetSpecVersion, "ce-id": ce.SetID, "ce-source": ce.SetSource,
		"ce-type": ce.SetType, "ce-subject": ce.SetSubject,
	}
	for name, value := range m.Attributes {
		attribute, ours := strings.CutPrefix(name, "ce-")
		switch set := setters[name]; {
		case set != nil:
			set(value)
		case name == "ce-time":
			at, err := types.ParseTime(value)
			if err != nil {
				return ce, fmt.Errorf("ce-time: %w", err)
			}
			ce.SetTime(at)
		case ours:
			ce.SetExtension(attribute, value)
		}
	}
	if err := ce.SetData(mediaType, m.Data); err != nil {
		return ce, err
	}
	return ce, ce.Validate()
}
