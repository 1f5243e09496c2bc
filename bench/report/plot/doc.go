// Package plot draws lines and bars as SVG, each plot on its own.
//
// It knows nothing of benchmarks, reads no files and needs nothing at the reader's side: no script, no
// font, no style from elsewhere. Colours follow the reader's light or dark scheme; a series has a marker
// shape besides its colour, every point says its figures in a tooltip, and a plot can be had as a table.
//
// A value that is not finite is not drawn, and on a logarithmic scale none that is not positive.
package plot
