package imports

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// Reasons of a Failure.
const (
	// Failed is the reason of most.
	Failed = "Error"
	// PullFailed is where the disk did not come whole.
	PullFailed = "ImagePullFailed"
	// ChecksumDiffers is where other bytes came than were wanted; it is not tried again.
	ChecksumDiffers = "ChecksumError"
)

// TooSmall is what CDI makes of every message about a lack of room.
const TooSmall = "DataVolume too small to contain image"

// Failure is why an import failed, as the condition Running of a DataVolume has it.
type Failure struct {
	Reason, Message string
}

// Error returns reason and message.
func (f *Failure) Error() string { return f.Reason + ": " + f.Message }

// Final says whether CDI does not try again.
func (f *Failure) Final() bool { return f.Reason == ChecksumDiffers }

// unconnected is a failure before there was anything to read.
func unconnected(err error) *Failure {
	return &Failure{Reason: Failed, Message: "Unable to connect to http data source: " + err.Error()}
}

// unprocessed is a failure in a phase of the work.
func unprocessed(reason, phase string, err error) *Failure {
	message := "Unable to process data: " + phase + ": " + err.Error()
	if strings.Contains(message, "is larger than the reported available") || errors.Is(err, syscall.ENOSPC) {
		message = TooSmall
	}
	return &Failure{Reason: reason, Message: message}
}

const (
	looking    = "Unable to obtain information about data source: could not process image header"
	receiving  = "Unable to transfer source data to scratch space"
	converting = "Unable to convert source data to target format"
)

// received is a failure while the disk came.
func received(err error) *Failure {
	if errors.Is(err, syscall.ENOSPC) {
		return unprocessed(Failed, receiving, err)
	}
	return unprocessed(PullFailed, receiving, fmt.Errorf("failed to pull image: %w", err))
}
