package plugin

import (
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/vitistack/kubevirt-multicluster/placement"
	placementv1 "github.com/vitistack/kubevirt-multicluster/placement/proto/placement/v1"
)

// MarshalRequest writes a request with all of its facts as the JSON form of the protocol's
// DecideRequest, to be kept and asked again.
func MarshalRequest(req placement.Request) ([]byte, error) {
	return protojson.Marshal(encodeRequest(req, placement.Needs{Presence: true, Capacity: true, Ready: true}))
}

// UnmarshalRequest reads what MarshalRequest has written, also a later version of it: what it does
// not know is left out.
func UnmarshalRequest(text []byte) (placement.Request, error) {
	var wire placementv1.DecideRequest
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, &wire); err != nil {
		return placement.Request{}, err
	}
	return decodeRequest(&wire), nil
}
