// Package figures has what was measured at each size, as a table, as JSON, as a picture, and as the
// formula that follows from it.
//
//	table := &figures.Table{}
//	err := table.Load("scale.json") // what earlier runs measured
//	table.Put(cell)
//	err = table.Save("scale.json")
//	err = table.Text(os.Stdout)
//	formula, err := table.Heap()
//
// It measures nothing and runs nothing.
package figures
