// Package plugins stands for the four strategies of this module: the packages annotation, default_, single and search, and
// the programs placement-* that serve them. The package itself is empty; its tests run the programs.
package plugins
