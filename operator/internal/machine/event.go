package machine

import corev1 "k8s.io/api/core/v1"

const (
	eventNormal  = corev1.EventTypeNormal
	eventWarning = corev1.EventTypeWarning
	// maxNote is the longest note that the API server takes in an Event, in bytes.
	maxNote = 1024
)

// event records something that happened to the Machine. note is in the past tense and has nothing of a Secret in it.
func (p *pass) event(kind, reason, action, note string) {
	if p.recorder == nil {
		return
	}
	if len(note) > maxNote {
		note = note[:maxNote]
	}
	p.recorder.Eventf(p.machine, nil, kind, reason, action, "%s", note)
}
