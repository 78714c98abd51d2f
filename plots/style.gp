# Style of every picture: fonts, colours, line types, paper sizes. The only place for them; each generated script
# carries a copy, so that it stands alone. Text is DejaVu Sans (Debian package fonts-dejavu-core); the svg, png and pdf
# terminals are those of gnuplot-nox.
set encoding utf8

TEXT = 'DejaVu Sans,7'   # 7 pt: titles, labels
SMALL = ',6.2'           # 6.2 pt: tick labels, legends, captions

# set_terminal(type, w, h): the command that opens a page of w x h cm. One pt is the same length on all three
# (a terminal's own idea of it differs: svg counts in px, cairo's fonts in 1/96 inch, pdfcairo's lines in half pt).
pixels(cm, dpi) = int(cm / 2.54 * dpi + 0.5)
scaled(font, line) = sprintf("font '%s' fontscale %g linewidth %g ", TEXT, font, line)
svg_page(w, h) = sprintf("set terminal svg size %d,%d dynamic background 'white' ", pixels(w, 96), pixels(h, 96)) \
                 . scaled(96 / 72., 96 / 72.)
png_page(w, h) = sprintf("set terminal pngcairo size %d,%d pointscale %g ", pixels(w, 300), pixels(h, 300), 300 / 72.) \
                 . scaled(300 / 96., 300 / 72.)
pdf_page(w, h) = sprintf("set terminal pdfcairo size %gcm,%gcm pointscale %g ", w, h, 1) . scaled(72 / 96., 2)
set_terminal(type, w, h) = type eq 'svg' ? svg_page(w, h) : type eq 'png' ? png_page(w, h) : pdf_page(w, h)

# Okabe and Ito's colours, told apart by colour-blind readers; each with a point shape of its own for grey print (grey
# stands for their yellow, which paper swallows).
# Line styles 1..8 are filled (ours), 11..18 hollow (published values).
set style line 1  lc rgb '#0072B2' lw 1.0 dt solid pt 7  ps 0.45   # blue, disc
set style line 2  lc rgb '#D55E00' lw 1.0 dt solid pt 5  ps 0.42   # vermilion, square
set style line 3  lc rgb '#009E73' lw 1.0 dt solid pt 9  ps 0.50   # green, triangle
set style line 4  lc rgb '#CC79A7' lw 1.0 dt solid pt 13 ps 0.52   # purple, diamond
set style line 5  lc rgb '#E69F00' lw 1.0 dt solid pt 11 ps 0.50   # orange, triangle down
set style line 6  lc rgb '#56B4E9' lw 1.0 dt solid pt 15 ps 0.48   # sky, pentagon
set style line 7  lc rgb '#000000' lw 1.0 dt (6,3) pt 2  ps 0.42   # black, cross
set style line 8  lc rgb '#7F7F7F' lw 1.0 dt (6,3) pt 3  ps 0.42   # grey, star
set style line 11 lc rgb '#0072B2' lw 0.8 pt 6  ps 0.60
set style line 12 lc rgb '#D55E00' lw 0.8 pt 4  ps 0.56
set style line 13 lc rgb '#009E73' lw 0.8 pt 8  ps 0.66
set style line 14 lc rgb '#CC79A7' lw 0.8 pt 12 ps 0.68
set style line 15 lc rgb '#E69F00' lw 0.8 pt 10 ps 0.66
set style line 16 lc rgb '#56B4E9' lw 0.8 pt 14 ps 0.64
set style line 17 lc rgb '#000000' lw 0.8 pt 6  ps 0.60
set style line 18 lc rgb '#7F7F7F' lw 0.8 pt 4  ps 0.60
set style line 20 lc rgb '#404040' lw 0.7                          # frame
set style line 21 lc rgb '#E4E4E4' lw 0.5                          # grid
set style line 22 lc rgb '#606060' lw 0.6                          # error bars over bars

set border 3 ls 20
set tics nomirror out scale 0.5,0.25 font SMALL
set key noenhanced reverse Left samplen 1.4 spacing 0.95 font SMALL
set style fill solid 0.8 noborder

# Half the width of an error bar's caps, in panel widths. Error bars are drawn as vectors with flat heads, for gnuplot's
# own wipe a white disc around the point.
CAP = 0.006
