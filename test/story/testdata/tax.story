# Tax is paid with an order and given back with a refund; that on usage and adjustments comes with the close of the month.

clock     2027-03-31 10:00
customer  cedar-labs
tax       SG 0.09
order     small 1 s3.small.1.linux 1m
pay       small
expect    small amount 9.74 expires 2027-04-30T23:59:59
expect    cash 9989.38                  # 9.74 and 0.88 tax
unsubscribe small as back               # nothing used: the fee of 10 % only
expect    back amount 8.77 fee 0.97 consumed 0
expect    cash 9998.94                  # 8.77 and 0.79 tax came back
check

order     paid 1 s3.small.1.linux 1m
pay       paid
discount  late 609 0.5 paid             # an order that is paid is not adjusted any more
refused   CBC.99003106 pay paid discount=late
check

nocoupons
adjust    5 hws.resource.type.vm        # in favour, on the bill of March
adjust    -2 hws.resource.type.volume   # against
refused   CBC.0100 adjust 1 none
expect    cash 9991.32
use       dl traffic upflow 1073741824000 13 2027-03-31T11:00   # 1000 GB at 0.08
clock     2027-04-03 02:59
expect    cash 9911.32
clock     2027-04-03 03:00
billed    9 2027-03 -5
billed    16 2027-03 2
billed    101 2027-03 -0.45
billed    102 2027-03 0.18
billed    15 2027-03 8.96               # two orders and the traffic
billed    100 2027-03 -0.79
expect    cash 9904.39
use       dl traffic upflow 32212254720 13 2027-03-31T12:00     # 30 more, late: all of the day at 0.072
clock     2027-04-03 12:00
billed    5 2027-04 -5.84
expect    cash 9910.23
clock     2027-05-03 03:00
billed    101 2027-04 -0.53
billed    15 2027-04 0
expect    cash 9910.76
check
