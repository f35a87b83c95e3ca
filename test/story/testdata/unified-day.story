# Renewed resources expire on one day of the month; the days until then cost their part of a month.

clock     2027-01-20 10:00
customer  cedar-labs
nocoupons                               # so that money alone pays
order     web 1 s3.small.1.linux 1m
pay       web
resource  web expires 2027-02-20T23:59:59
renewday  1
renew     web 1m as next pay
expect    next amount 13.51             # 9.74, and 12 of 31 days
resource  web expires 2027-04-01T23:59:59
renew     web 1m as more pay
expect    more amount 9.74
resource  web expires 2027-05-01T23:59:59
renewday  -1
renew     web 1m as last pay
expect    last amount 19.16             # 9.74, and 29 of 30 days
resource  web expires 2027-06-30T23:59:59
renew     web 1m as full pay
expect    full amount 9.74
resource  web expires 2027-07-31T23:59:59
renew     web 7m as long pay
resource  web expires 2028-02-29T23:59:59
refused   CBC.0100 renewday 29
check
