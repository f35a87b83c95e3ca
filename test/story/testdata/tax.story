# Tax is paid with an order and given back with a refund.

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
