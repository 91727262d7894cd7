package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vitistack/kubevirt-multicluster/placement"
	placementv1 "github.com/vitistack/kubevirt-multicluster/placement/proto/placement/v1"
)

// server speaks the protocol for one strategy.
type server struct {
	placementv1.UnimplementedStrategyServiceServer
	strategy placement.Strategy
	version  string
}

func newServer(strategy placement.Strategy) *server {
	return &server{strategy: strategy, version: buildVersion()}
}

// Info implements the service.
func (s *server) Info(context.Context, *placementv1.InfoRequest) (*placementv1.InfoResponse, error) {
	info := &placementv1.InfoResponse{
		Name: s.strategy.Name(), Version: s.version,
		Needs: encodeNeeds(s.strategy.Needs()), Unread: encodeUnread(s.strategy.Needs()),
	}
	if c, ok := s.strategy.(placement.Configurer); ok {
		info.ConfigSchema = c.ConfigSchema()
	}
	return info, nil
}

// Configure implements the service. A configuration that breaks the strategy's own schema never
// reaches the strategy; the host evaluates no schema that somebody sent. A strategy that takes no
// configuration refuses one: it would be without effect.
func (s *server) Configure(
	_ context.Context, req *placementv1.ConfigureRequest,
) (*placementv1.ConfigureResponse, error) {
	var err error
	if c, ok := s.strategy.(placement.Configurer); ok {
		if err = validateConfig(c.ConfigSchema(), req.GetConfig()); err == nil {
			err = c.Configure(req.GetConfig())
		}
	} else if len(req.GetConfig()) > 0 {
		err = placement.Violations{{Message: "this strategy takes no configuration"}}
	}
	if violations, ok := errors.AsType[placement.Violations](err); ok {
		reply := &placementv1.ConfigureResponse{}
		for _, v := range violations {
			reply.Violations = append(reply.Violations, &placementv1.Violation{Field: v.Field, Message: v.Message})
		}
		return reply, nil
	}
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &placementv1.ConfigureResponse{}, nil
}

// Decide implements the service.
func (s *server) Decide(ctx context.Context, req *placementv1.DecideRequest) (*placementv1.DecideResponse, error) {
	reply, err := encodeAnswer(s.strategy.Place(ctx, decodeRequest(req)))
	switch {
	case err == nil:
		return reply, nil
	case ctx.Err() != nil:
		return nil, status.FromContextError(ctx.Err()).Err()
	default:
		return nil, status.Error(codes.Unknown, err.Error())
	}
}

// recoverPanics turns a panic into an error of that call: the plugin lives on and other Machines
// get their answers. The host sees the stack's first line; the log has all of it.
func recoverPanics(log *slog.Logger) grpc.UnaryServerInterceptor {
	return func(
		ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler,
	) (reply any, err error) {
		defer func() {
			if cause := recover(); cause != nil {
				log.Error("panic", "method", info.FullMethod, "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
				reply, err = nil, status.Errorf(codes.Aborted, "panic: %v", cause)
			}
		}()
		return handle(ctx, req)
	}
}
