// Package imports does what CDI's importer does with a disk that it gets by HTTP: the same requests,
// the same unpacking, the same words where it fails.
//
//	attempt := imports.NewAttempt(imports.Options{Dial: dial, Capacity: 10 << 30})
//	failure := attempt.Run(ctx, imports.Source{URL: url, Headers: headers, Authorities: pems}, file)
//
// It follows the importer of CDI 1.65. Of formats it knows raw disks and those that gzip packed.
package imports
