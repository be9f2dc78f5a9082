"""Names of months, of days and of time zones, as dates are written with them."""

from __future__ import annotations

_BY_MONTH = (
    "january jan januar jän jänner janvier janv enero ene gennaio gen janeiro januari",
    "february feb februar février fevrier févr fev febrero febbraio fevereiro februari",
    "march mar märz maerz mrz mars marzo março marco maart mrt",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mag maio mei",
    "june jun juni juin junio giugno giu junho",
    "july jul juli juillet juil julio luglio lug julho",
    "august aug août aout agosto ago augustus",
    "september sep sept septembre septiembre settembre set setembro",
    "october oct oktober okt octobre octubre ottobre ott outubro out",
    "november nov novembre noviembre novembro",
    "december dec dezember dez décembre decembre déc diciembre dic dicembre dezembro december",
)
MONTHS = {name: number for number, names in enumerate(_BY_MONTH, start=1) for name in names.split()}
"""Small name, or its usual short form, to the number of the month; in seven languages."""

_NAMES = (
    "monday mon tuesday tue tues wednesday wed thursday thu thur thurs friday fri saturday sat sunday sun "
    "montag mo dienstag di mittwoch mi donnerstag do freitag fr samstag sa sonntag so "
    "lundi lun mardi mercredi mer jeudi jeu vendredi ven samedi sam dimanche dim "
    "lunes martes miércoles mié jueves jue viernes vie sábado sáb domingo dom "
    "of the de del le den on at um à um th st nd rd er"
)
PASSED_OVER = frozenset(_NAMES.split())
"""Words of a date that say nothing more of it."""

ZONES = {
    "z": 0,
    "utc": 0,
    "gmt": 0,
    "edt": -240,
    "est": -300,
    "cdt": -300,
    "cst": -360,
    "mdt": -360,
    "mst": -420,
    "pdt": -420,
    "pst": -480,
    "cet": 60,
    "cest": 120,
}
"""Name to minutes from UTC: those of RFC 2822 and of the middle of Europe; others have several meanings."""
