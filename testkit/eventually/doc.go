// Package eventually waits in tests until something has become true.
//
//	eventually.Eventually(t, time.Minute, "the Machine runs", func(ctx context.Context) error {
//		if err := c.Get(ctx, key, machine); err != nil {
//			return err
//		}
//		if machine.Status.Phase != vitistackv1alpha1.MachinePhaseRunning {
//			return fmt.Errorf("its phase is %q", machine.Status.Phase)
//		}
//		return nil
//	})
//
// A check returns nil once it holds, and otherwise an error that says what it saw instead. When the
// time is over the test fails with the error of the last check, so that nobody has to run it again
// to learn what was there. The package knows the standard library alone: every module can use it.
package eventually
