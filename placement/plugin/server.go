package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"

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

	// answering is held for reading while a question is answered. Hosts come and go at a side-car, and
	// a strategy need not know: it is never configured while it answers.
	answering     sync.RWMutex
	configuration string // the name of the configuration in use, guarded by answering
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
	err := s.accepts(req.GetConfig())
	if err == nil {
		err = s.use(req)
	}
	violations, err := wireViolations(err)
	if err != nil {
		return nil, err
	}
	return &placementv1.ConfigureResponse{Violations: violations}, nil
}

// use configures the strategy. One that refuses half-way has no configuration that a host knows.
func (s *server) use(req *placementv1.ConfigureRequest) error {
	s.answering.Lock()
	defer s.answering.Unlock()
	s.configuration = ""
	if c, ok := s.strategy.(placement.Configurer); ok {
		if err := c.Configure(req.GetConfig()); err != nil {
			return err
		}
	}
	s.configuration = req.GetConfiguration()
	return nil
}

// ValidateConfig implements the service.
func (s *server) ValidateConfig(
	_ context.Context, req *placementv1.ValidateConfigRequest,
) (*placementv1.ValidateConfigResponse, error) {
	err := s.accepts(req.GetConfig())
	if v, ok := s.strategy.(placement.ConfigValidator); ok && err == nil {
		err = v.ValidateConfig(req.GetConfig())
	}
	violations, err := wireViolations(err)
	if err != nil {
		return nil, err
	}
	return &placementv1.ValidateConfigResponse{Violations: violations}, nil
}

// accepts reports whether the strategy takes such a configuration, by its schema.
func (s *server) accepts(config []byte) error {
	if c, ok := s.strategy.(placement.Configurer); ok {
		return validateConfig(c.ConfigSchema(), config)
	}
	if len(config) > 0 {
		return placement.Violations{{Message: "this strategy takes no configuration"}}
	}
	return nil
}

// wireViolations are those of an error. Another error is one of the call.
func wireViolations(err error) ([]*placementv1.Violation, error) {
	violations, ok := errors.AsType[placement.Violations](err)
	if err != nil && !ok {
		return nil, status.Error(codes.Internal, err.Error())
	}
	var wire []*placementv1.Violation
	for _, v := range violations {
		wire = append(wire, &placementv1.Violation{Field: v.Field, Message: v.Message})
	}
	return wire, nil
}

// Decide implements the service.
func (s *server) Decide(ctx context.Context, req *placementv1.DecideRequest) (*placementv1.DecideResponse, error) {
	s.answering.RLock()
	defer s.answering.RUnlock()
	if under := req.GetConfiguration(); under != "" && under != s.configuration {
		return nil, status.Error(codes.FailedPrecondition, "another host has configured the strategy otherwise")
	}
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
