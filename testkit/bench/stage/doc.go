// Package stage is where a bench measures: a light fleet with the operator as a process, and
// clients beside it.
//
//	s, err := stage.Start(ctx, stage.Options{Operator: "bin/operator", Remotes: 4})
//	defer s.Stop(ctx)
//	err = s.Admin.Create(ctx, stage.NewMachine("shop", "web", s.Fleet.Remotes[0].Name))
//
// The fleet is light because KubeVirt has a processor of its own elsewhere. Here it would take the
// processor from those who are compared, the more the longer somebody needs.
package stage
