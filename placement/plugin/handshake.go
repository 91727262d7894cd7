package plugin

import (
	"context"
	"errors"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	placementv1 "github.com/vitistack/kubevirt-multicluster/placement/proto/placement/v1"
)

const (
	// ProtocolVersion is the major version that host and plugin must share: that of the package
	// placement.v1.
	ProtocolVersion = 1

	// CookieKey is in a plugin's environment when a host started it. It keeps a person from running
	// a plugin by hand, and is no protection.
	CookieKey = "VITISTACK_PLACEMENT_PLUGIN"
	// CookieValue is its value.
	CookieValue = "placement.v1"

	// MaxMessageBytes limits a request: room for some ten thousand clusters. Replies are smaller:
	// 64 KiB for a decision, 1 MiB for what a plugin says of itself and of its configuration.
	MaxMessageBytes = 16 << 20
)

// dispensed is the only name in the plugin set, because a process serves one strategy.
const dispensed = "strategy"

var handshake = goplugin.HandshakeConfig{
	ProtocolVersion:  ProtocolVersion,
	MagicCookieKey:   CookieKey,
	MagicCookieValue: CookieValue,
}

// versions are the plugin sets by the major versions that this build speaks, of which the two sides
// take the highest that both have. An incompatible placement.v2 would stand here beside v1 until no
// plugin speaks v1.
func versions(v1 glue) map[int]goplugin.PluginSet {
	return map[int]goplugin.PluginSet{ProtocolVersion: {dispensed: v1}}
}

// glue is what go-plugin wants on both sides: how to register the service, and how to get a client
// of it.
type glue struct {
	goplugin.NetRPCUnsupportedPlugin
	server placementv1.StrategyServiceServer // nil in the host
}

// GRPCServer registers the service; go-plugin calls it in the plugin.
func (g glue) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	if g.server == nil {
		return errors.New("a host serves nothing")
	}
	placementv1.RegisterStrategyServiceServer(s, g.server)
	return nil
}

// GRPCClient returns a placementv1.StrategyServiceClient; go-plugin calls it in the host.
func (glue) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return placementv1.NewStrategyServiceClient(conn), nil
}
