# An order that nobody pays lapses after seven days, to the second; a coupon held for it is free again.

clock     2027-01-01 09:00
customer  cedar-labs
coupon    gift 3
order     slow 1 s3.small.1.linux 1m hold=gift
order     other 1 s3.small.1.linux 1m
refused   CBC.99003112 pay other coupon=gift

clock     2027-01-08 08:59
expect    slow status 6
clock     2027-01-08 09:00
expect    slow status 4
expect    other status 4
refused   CBC.99003106 pay slow
order     next 1 s3.small.1.linux 1m
pay       next coupon=gift
expect    next status 5 coupon 3
check
